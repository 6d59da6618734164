#include "run/control/stop_escalation.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/holds_soon.h"

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

TEST(StageTimes, SavingTakesAtMostHalf) {
  StageTimes times = stage_times({100, 130}, 600);
  EXPECT_DOUBLE_EQ(times.end, 130 - 15 - 3);
  EXPECT_LE(times.close, times.end);
}

TEST(StageTimes, APastDeadlineLeavesNoTime) {
  StageTimes times = stage_times({100, 50}, 600);
  EXPECT_LE(times.close, 100);
  EXPECT_LE(times.end, 100);
}

TEST(StopEscalation, TheFirstReasonCounts) {
  std::stop_source stop;
  StopEscalation escalation(system_clock(), stop.get_token(), {}, std::nullopt);
  EXPECT_EQ(escalation.reason(), StopReason::None);
  EXPECT_FALSE(escalation.request().stop.stop_requested());
  escalation.stop(StopReason::Stall);
  stop.request_stop();
  EXPECT_EQ(escalation.reason(), StopReason::Stall);
  EXPECT_TRUE(escalation.request().stop.stop_requested());
}

TEST(StopEscalation, AStopBeforeItsTimeIsHeard) {
  std::stop_source stop;
  stop.request_stop();
  StopEscalation escalation(system_clock(), stop.get_token(), {}, std::nullopt);
  EXPECT_EQ(escalation.reason(), StopReason::Signal);
  EXPECT_FALSE(escalation.guard_times());
}

TEST(StopEscalation, AKillPassesThrough) {
  std::stop_source kill;
  StopEscalation escalation(system_clock(), {}, kill.get_token(), std::nullopt);
  EXPECT_FALSE(escalation.request().kill.stop_requested());
  kill.request_stop();
  EXPECT_TRUE(escalation.request().kill.stop_requested());
}

TEST(StopEscalation, TheDeadlineStopsByItself) {
  double now = system_clock().now();
  StopEscalation escalation(system_clock(), {}, {}, StageTimes{.close = now, .end = now + 0.05, .grace = 7});
  EXPECT_EQ(escalation.request().grace, std::chrono::seconds(7));
  EXPECT_LE(escalation.guard_times()->end, 0.05);
  EXPECT_TRUE(test::holds_soon([&] { return escalation.reason() != StopReason::None; }));
  EXPECT_EQ(escalation.reason(), StopReason::Deadline);
}

TEST(StopEscalation, BeforeItsDeadlineItIsTakenBack) {
  double now = system_clock().now();
  {
    StopEscalation escalation(system_clock(), {}, {},
                              StageTimes{.close = now + 500, .end = now + 1000, .grace = 7});
  }
  EXPECT_LT(system_clock().now(), now + 100) << "nobody waits for an alarm that is not needed";
}

}  // namespace
}  // namespace stagemake
