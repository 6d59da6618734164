#include "run/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <semaphore>

namespace stagemake {
namespace {

TEST(SystemClock, WhatHasPassedHappensAtOnce) {
  std::binary_semaphore happened{0};
  auto alarm = system_clock().at(system_clock().now() - 1, [&] { happened.release(); });
  happened.acquire();
}

// Nanoseconds in 64 bits end in the year 2262: these once counted as past, and each run was out of time.
TEST(SystemClock, WhatIsTooFarAwayForItDoesNotHappen) {
  std::atomic<int> happened = 0;
  for (double when : {253402300799.0, 1e18, 1e300, std::numeric_limits<double>::infinity()})
    system_clock().at(when, [&] { ++happened; });  // destroyed at once, which waits for what happens
  EXPECT_EQ(happened, 0);
}

TEST(SystemClock, SleepsForNoNegativeTime) {
  system_clock().sleep(-1e300);
  system_clock().sleep(0);
}

}  // namespace
}  // namespace stagemake
