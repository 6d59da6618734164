// The time left for a stage and for a run, at every moment.
#include "report/terminal/time_left.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A stage of eleven packages of a minute each that do not depend on each other, built one after the other on
// one slot.
constexpr std::size_t kPackages = 11;

std::string package(std::size_t i) {
  return "p" + std::to_string(i);
}

RunRecord run_with(const StageExpectation& expected, unsigned slots) {
  EnvironmentStatus one{.name = "e", .stage_names = {"configured", "with-targets"}, .stages = {}};
  one.stages.resize(2);
  one.stages[0].state = StageState::Reused;
  one.expected = {{}, expected};
  one.expected[1].makes.clear();
  RunRecord run;
  run.facts.slots = slots;
  run.begin(1000, {one});
  run.expect(expected.seconds);
  run.expect({0, 1}, expected);
  run.change(1000, {0, 1}, {.state = StageState::Running});
  return run;
}

RunRecord wide_run(unsigned slots) {
  StageExpectation expected{.seconds = 660.0 / slots, .work = 660, .packages = kPackages};
  for (std::size_t i = 0; i < kPackages; ++i) expected.makes.push_back({.name = package(i), .seconds = 60});
  return run_with(expected, slots);
}

void build(RunRecord& run, const std::string& name, double from, double to) {
  run.package(from, {0, 1}, {.name = name});
  run.package(to, {0, 1}, {.name = name, .state = PackageState::Built});
}

// The reported fault: eleven minutes on one slot were "about 2 s left" for ten of them.
TEST(TimeLeft, OfAStageIsWhatRemainsOnTheSlotsThereAre) {
  RunRecord run = wide_run(1);
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1000).seconds, 660);
  for (std::size_t i = 0; i < kPackages; ++i) {
    double now = 1000 + 60 * static_cast<double>(i);
    run.package(now, {0, 1}, {.name = package(i)});
    EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, now + 20).seconds, 1660 - now - 20) << i;
    EXPECT_DOUBLE_EQ(progress_of(run, now + 20).seconds_left, 1660 - now - 20) << i;
    EXPECT_FALSE(progress_of(run, now + 20).is_overdue);
    run.package(now + 60, {0, 1}, {.name = package(i), .state = PackageState::Built});
  }
}

TEST(TimeLeft, MoreSlotsTakeMorePackagesAtOnce) {
  RunRecord run = wide_run(4);
  for (std::size_t i = 0; i < 4; ++i) run.package(1000, {0, 1}, {.name = package(i)});
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1030).seconds, 30 + 60 + 60) << "four, four and three";
  run.sample(1030, {.slots_used = 2, .slots = 2});
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1030).seconds, 30 + 30 + 4 * 60)
      << "what is in flight goes on, and then two at once";
}

TEST(TimeLeft, TheLongestChainCountsHoweverManySlotsThereAre) {
  StageExpectation expected{.seconds = 300, .work = 310, .packages = 4};
  expected.makes = {{.name = "a", .seconds = 100},
                    {.name = "b", .seconds = 100, .needs = {0}},
                    {.name = "c", .seconds = 100, .needs = {1}},
                    {.name = "other", .seconds = 10}};
  RunRecord run = run_with(expected, 8);
  build(run, "other", 1000, 1010);
  run.package(1000, {0, 1}, {.name = "a"});
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1060).seconds, 40 + 200);
}

TEST(TimeLeft, AnOverduePackageIsSaidToBeNotShownAsNothing) {
  RunRecord run = wide_run(1);
  for (std::size_t i = 0; i + 1 < kPackages; ++i) build(run, package(i), 1000, 1060);
  run.package(1600, {0, 1}, {.name = package(kPackages - 1)});
  EXPECT_FALSE(stage_left(run, {0, 1}, 1650).is_overdue);
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1650).seconds, 10);
  EXPECT_TRUE(stage_left(run, {0, 1}, 1700).is_overdue);
  EXPECT_TRUE(progress_of(run, 1700).is_overdue);
  EXPECT_LT(progress_of(run, 1700).fraction, 1);
}

TEST(TimeLeft, AnOverduePackageDoesNotHideWhatComesAfterIt) {
  StageExpectation expected{.seconds = 110, .work = 110, .packages = 2};
  expected.makes = {{.name = "a", .seconds = 10}, {.name = "b", .seconds = 100, .needs = {0}}};
  RunRecord run = run_with(expected, 1);
  run.package(1000, {0, 1}, {.name = "a"});
  StageLeft left = stage_left(run, {0, 1}, 1500);
  EXPECT_FALSE(left.is_overdue);
  EXPECT_DOUBLE_EQ(left.seconds, 100);
}

TEST(TimeLeft, DependentsOfAFailedPackageAreNotExpected) {
  StageExpectation expected{.seconds = 400, .work = 400, .packages = 4};
  expected.makes = {{.name = "a", .seconds = 100},
                    {.name = "b", .seconds = 100, .needs = {0}},
                    {.name = "c", .seconds = 100, .needs = {1}},
                    {.name = "other", .seconds = 100}};
  RunRecord run = run_with(expected, 1);
  run.package(1000, {0, 1}, {.name = "a"});
  run.package(1001, {0, 1}, {.name = "a", .state = PackageState::Failed});
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1001).seconds, 100);
}

// In some distributions, script packages do not call the guard.
TEST(TimeLeft, APackageOfWhichNothingIsHeardIsBuiltWhenOneThatNeedsItBegins) {
  StageExpectation expected{.seconds = 300, .work = 300, .packages = 3};
  expected.makes = {{.name = "silent", .seconds = 100},
                    {.name = "b", .seconds = 100, .needs = {0}},
                    {.name = "c", .seconds = 100, .needs = {1}}};
  RunRecord run = run_with(expected, 1);
  run.package(1100, {0, 1}, {.name = "b"});
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1100).seconds, 200);
}

TEST(TimeLeft, WithoutPackageEventsTimeIsUsed) {
  RunRecord run = wide_run(1);
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1600).seconds, 60);
  EXPECT_TRUE(stage_left(run, {0, 1}, 1700).is_overdue);
}

TEST(TimeLeft, SlowRunsSlowTheEstimate) {
  RunRecord run = wide_run(1);
  for (std::size_t i = 0; i < 5; ++i)
    build(run, package(i), 1000 + 120 * static_cast<double>(i), 1120 + 120 * static_cast<double>(i));
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 1}, 1600).seconds, 6 * 120);
}

TEST(TimeLeft, StagesThatRunAtOnceShareTheSlots) {
  RunRecord run;
  std::vector<EnvironmentStatus> all;
  StageExpectation expected{.seconds = 40, .work = 80, .packages = 8};
  for (const char* name : {"a", "b"}) {
    EnvironmentStatus& one =
        all.emplace_back(EnvironmentStatus{.name = name, .stage_names = {"s"}, .stages = {}});
    one.stages.resize(1);
    one.expected = {expected};
  }
  run.facts.slots = 2;
  run.begin(0, all);
  run.expect(100);  // simulated: more than the 80 s that two slots need at least
  EXPECT_DOUBLE_EQ(progress_of(run, 0).seconds_left, 100);
  for (std::size_t i = 0; i < 8; ++i) expected.makes.push_back({.name = package(i), .seconds = 10});
  for (std::size_t e : {0u, 1u}) {
    run.expect({e, 0}, expected);
    run.change(0, {e, 0}, {.state = StageState::Running});
    run.package(0, {e, 0}, {.name = package(0)});
  }
  EXPECT_DOUBLE_EQ(stage_left(run, {0, 0}, 0).seconds, 80) << "with one of the two slots";
  EXPECT_DOUBLE_EQ(progress_of(run, 5).seconds_left, (160 - 10) / 2.0 * 100 / 80);
}

// Two environments of three stages.
RunRecord run_of(std::size_t environments) {
  std::vector<EnvironmentStatus> all;
  for (std::size_t e = 0; e < environments; ++e) {
    EnvironmentStatus one{.name = "e" + std::to_string(e),
                          .stage_names = {"with-system-packages", "configured", "with-targets-pre"},
                          .stages = {}};
    one.stages.resize(3);
    one.stages[0].state = StageState::Reused;
    one.expected = {{}, {.seconds = 50}, {.seconds = 100, .packages = 10}};
    all.push_back(one);
  }
  RunRecord run;
  run.facts.slots = 1;
  run.expect(300);
  run.begin(1000, all);
  return run;
}

TEST(Progress, CountsStagesByTheirWork) {
  RunRecord run = run_of(2);
  Progress progress = progress_of(run, 1000);
  EXPECT_EQ(progress.stages, 4u) << "reused ones are none";
  EXPECT_EQ(progress.packages, 20u);
  EXPECT_EQ(progress.waiting, 4u);
  EXPECT_EQ(progress.fraction, 0);
  EXPECT_EQ(progress.seconds_left, 300) << "as predicted";
  run.change(1000, {0, 1}, {.state = StageState::Running});
  run.change(1030, {0, 1}, {.state = StageState::Built, .seconds = 30});
  run.change(1030, {1, 1}, {.state = StageState::Running});
  progress = progress_of(run, 1055);
  EXPECT_EQ(progress.stages_done, 1u);
  EXPECT_DOUBLE_EQ(progress.fraction, (50 + 25) / 300.0) << "one is done, another for the half of its time";
  EXPECT_DOUBLE_EQ(progress.seconds_left, 225);
}

TEST(Progress, OfARunningStageIsNeverAllAndOfAnEndedRunNothingIsLeft) {
  RunRecord run = run_of(1);
  run.change(1000, {0, 1}, {.state = StageState::Built, .seconds = 1});
  run.change(1001, {0, 2}, {.state = StageState::Running});
  EXPECT_LT(progress_of(run, 9000).fraction, 1);
  EXPECT_TRUE(progress_of(run, 9000).is_overdue);
  run.change(9000, {0, 2}, {.state = StageState::Failed});
  EXPECT_EQ(progress_of(run, 9000).failed, 1u);
  EXPECT_EQ(progress_of(run, 9000).seconds_left, 0);
  EXPECT_FALSE(progress_of(run, 9000).is_overdue);
  EXPECT_EQ(progress_of(run, 9000).fraction, 1);
}

TEST(Progress, OfNothingIsNothing) {
  Progress progress = progress_of({}, 5);
  EXPECT_EQ(progress.stages, 0u);
  EXPECT_EQ(progress.fraction, 0);
  EXPECT_EQ(progress.seconds_left, 0);
}

TEST(Progress, PackagesAreThoseOfTheLastWord) {
  RunRecord run = run_of(1);
  run.expect({0, 2}, {.seconds = 60, .packages = 6});
  EXPECT_EQ(progress_of(run, 1000).packages, 6u) << "configure has found four on the system";
}

TEST(RunningStages, AreTheLongestRunningFirst) {
  RunRecord run = run_of(3);
  EXPECT_THAT(running_stages(run), IsEmpty());
  run.change(1005, {0, 1}, {.state = StageState::Running});
  run.change(1001, {2, 1}, {.state = StageState::Running});
  EXPECT_THAT(running_stages(run), ElementsAre(StageAddress{2, 1}, StageAddress{0, 1}));
}

TEST(RunSeconds, SayWhatPushingTook) {
  EXPECT_EQ(run_seconds_text({.all = 27, .pushing = 26.8}), "27 s, 27 s of it pushing");
  EXPECT_EQ(run_seconds_text({.all = 9.6, .pushing = 4.2}), "9.6 s, 4.2 s of it pushing");
  EXPECT_EQ(run_seconds_text({.all = 9.6, .pushing = 0.1}), "9.6 s");
}

}  // namespace
}  // namespace stagemake
