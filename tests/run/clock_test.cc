#include "run/control/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <semaphore>

namespace stagemake {
namespace {

TEST(SystemClock, PastAlarmsRingAtOnce) {
  std::binary_semaphore happened{0};
  auto alarm = system_clock().at(system_clock().now() - 1, [&] { happened.release(); });
  happened.acquire();
}

// 64 bits of nanoseconds end in the year 2262: such times once counted as past, and every run was out of
// time.
TEST(SystemClock, AlarmsTooFarAwayDoNotRing) {
  std::atomic<int> happened = 0;
  for (double when : {253402300799.0, 1e18, 1e300, std::numeric_limits<double>::infinity()})
    system_clock().at(when, [&] { ++happened; });  // destroyed at once, which waits for a running callback
  EXPECT_EQ(happened, 0);
}

TEST(SystemClock, SleepsForNoNegativeTime) {
  system_clock().sleep(-1e300);
  system_clock().sleep(0);
}

}  // namespace
}  // namespace stagemake
