#include "run/ladder.h"

#include <gtest/gtest.h>

#include <thread>

namespace stagemake {
namespace {

TEST(StageTimes, BehindLieSavingAndGraceAndTheDrain) {
  StageTimes times = stage_times({0, 20000}, 600);
  EXPECT_DOUBLE_EQ(times.grace, 15);
  EXPECT_DOUBLE_EQ(times.end, 20000 - 600 - 15);
  EXPECT_DOUBLE_EQ(times.close, times.end - 600) << "no more than ten minutes";
  times = stage_times({0, 1000}, 100);
  EXPECT_DOUBLE_EQ(times.close, times.end - 0.05 * times.end);
}

TEST(StageTimes, SavingTakesNoMoreThanHalf) {
  StageTimes times = stage_times({100, 130}, 600);
  EXPECT_DOUBLE_EQ(times.end, 130 - 15 - 3);
  EXPECT_LE(times.close, times.end);
}

TEST(StageTimes, ADeadlineThatIsOverLeavesNothing) {
  StageTimes times = stage_times({100, 50}, 600);
  EXPECT_LE(times.close, 100);
  EXPECT_LE(times.end, 100);
}

TEST(Ladder, TheFirstReasonCounts) {
  std::stop_source stop;
  Ladder ladder(system_clock(), stop.get_token(), {}, std::nullopt);
  EXPECT_EQ(ladder.reason(), StopReason::None);
  EXPECT_FALSE(ladder.request().stop.stop_requested());
  ladder.stop(StopReason::Stall);
  stop.request_stop();
  EXPECT_EQ(ladder.reason(), StopReason::Stall);
  EXPECT_TRUE(ladder.request().stop.stop_requested());
}

TEST(Ladder, AStopBeforeItsTimeIsHeard) {
  std::stop_source stop;
  stop.request_stop();
  Ladder ladder(system_clock(), stop.get_token(), {}, std::nullopt);
  EXPECT_EQ(ladder.reason(), StopReason::Signal);
  EXPECT_FALSE(ladder.guard_times());
}

TEST(Ladder, AKillPassesThrough) {
  std::stop_source kill;
  Ladder ladder(system_clock(), {}, kill.get_token(), std::nullopt);
  EXPECT_FALSE(ladder.request().kill.stop_requested());
  kill.request_stop();
  EXPECT_TRUE(ladder.request().kill.stop_requested());
}

TEST(Ladder, TheDeadlineStopsByItself) {
  double now = system_clock().now();
  Ladder ladder(system_clock(), {}, {}, StageTimes{.close = now, .end = now + 0.05, .grace = 7});
  EXPECT_EQ(ladder.request().grace, std::chrono::seconds(7));
  EXPECT_LE(ladder.guard_times()->end, 0.05);
  for (int i = 0; i < 500 && ladder.reason() == StopReason::None; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(ladder.reason(), StopReason::Deadline);
}

TEST(Ladder, BeforeItsDeadlineItIsTakenBack) {
  double now = system_clock().now();
  { Ladder ladder(system_clock(), {}, {}, StageTimes{.close = now + 50, .end = now + 100, .grace = 7}); }
  EXPECT_LT(system_clock().now(), now + 5) << "nobody waits for an alarm that is not needed";
}

}  // namespace
}  // namespace stagemake
