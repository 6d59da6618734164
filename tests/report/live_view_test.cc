#include "report/terminal/live_view.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::ResultOf;
using testing::SizeIs;

// Two environments of three stages; the last stage makes ten packages in 100 seconds.
RunRecord run_of(std::size_t environments) {
  std::vector<EnvironmentStatus> all;
  for (std::size_t e = 0; e < environments; ++e) {
    EnvironmentStatus one{.name = "ubuntu-jammy-standard-" + std::to_string(e),
                          .stage_names = {"with-system-packages", "configured", "with-targets-pre"},
                          .stages = {}};
    one.stages.resize(3);
    one.stages[0].state = StageState::Reused;
    one.expected = {{}, {.seconds = 50}, {.seconds = 100, .packages = 10}};
    all.push_back(one);
  }
  RunRecord run;
  run.expect(300);
  run.begin(1000, all);
  return run;
}

void begin_package(RunRecord& run, double time, const std::string& name) {
  run.package(time, {0, 2}, {.name = name});
}

TEST(LiveBlock, SaysWhatRunsSinceWhenAndHowLongStill) {
  RunRecord run = run_of(2);
  run.change(1000, {1, 1}, {.state = StageState::Built, .seconds = 1});
  run.change(1000, {1, 2}, {.state = StageState::Running});
  run.change(1010, {0, 1}, {.state = StageState::Running});
  run.package(1011, {1, 2}, {.name = "gmp"});
  MachineSample sample{.busy = 0.97, .memory = 0.4, .slots_used = 3, .slots = 4};
  sample.stages = {{.at = {1, 2}, .slots = 3}};
  run.sample(1012, sample);
  EXPECT_THAT(
      live_block(run, 1065, {.columns = 100, .keys = true}),
      ElementsAre("1 of 4 stages, 0 of 20 packages                                   1 min 05 s, about "
                  "1 min 40 s left",
                  "[##################################################...................................."
                  ".....]  55 %",
                  "ubuntu-jammy-standard-1 with-targets-pre gmp                            -j3 1 min 05 s / "
                  "1 min 40 s",
                  "ubuntu-jammy-standard-0 configured                                                    "
                  "55 s, overdue",
                  "1 stage waiting, 3 of 4 job slots, processors 97 %, memory 40 %, ? for keys"));
}

TEST(LiveBlock, AStageWithoutASlotWaitsForOne) {
  RunRecord run = run_of(2);
  for (std::size_t e : {0u, 1u}) run.change(1000, {e, 1}, {.state = StageState::Running});
  MachineSample sample{.slots_used = 1, .slots = 1};
  sample.stages = {{.at = {1, 1}, .slots = 1}, {.at = {0, 1}, .slots = 0}};
  run.sample(1012, sample);
  std::vector<std::string> block = live_block(run, 1065, {.columns = 100});
  EXPECT_THAT(block, testing::Contains(testing::MatchesRegex(
                         "ubuntu-jammy-standard-0 configured +waits for a job slot +1 .*")));
  EXPECT_THAT(block,
              testing::Contains(testing::MatchesRegex("ubuntu-jammy-standard-1 configured +-j1 +1 .*")));
  run.sample(1022, {.slots_used = 1, .slots = 1});
  EXPECT_THAT(live_block(run, 1065, {.columns = 100}), Not(testing::Contains(HasSubstr("waits for"))))
      << "it has not begun";
}

TEST(LiveBlock, FitsEveryWidthAndHeight) {
  RunRecord run = run_of(200);
  for (std::size_t e = 0; e < 200; ++e) run.change(1000, {e, 1}, {.state = StageState::Running});
  for (unsigned columns : {1u, 20u, 40u, 50u, 69u, 70u, 80u, 132u, 200u, 500u}) {
    for (unsigned rows : {1u, 5u, 24u, 50u}) {
      std::vector<std::string> block =
          live_block(run, 1e6, {.columns = columns, .rows = rows, .color = true, .keys = true, .help = true});
      EXPECT_THAT(block, Each(ResultOf(shown_width, Le(std::max(20u, columns) - 1)))) << columns;
      if (rows >= 24) {
        EXPECT_LE(block.size(), rows * 2 / 3 + 1) << columns << "x" << rows;
        EXPECT_THAT(block, testing::Contains(HasSubstr("more"))) << "it says that there are others";
      }
    }
  }
}

TEST(LiveBlock, ShowsALogInPlaceOfWhatRuns) {
  RunRecord run = run_of(1);
  run.change(1000, {0, 1}, {.state = StageState::Running});
  std::vector<std::string> block = live_block(
      run, 1001, {.rows = 12, .log = StageAddress{0, 1}, .tail = {"1", "2", "3", "4", "5", "6", "7"}});
  ASSERT_THAT(block, SizeIs(9));
  EXPECT_EQ(block[2], "log of ubuntu-jammy-standard-0 configured");
  EXPECT_EQ(block[3], "| 3");
  EXPECT_EQ(block[7], "| 7");
}

TEST(LiveBlock, HasColoursOnlyWhereTheyAreWanted) {
  RunRecord run = run_of(1);
  run.change(1000, {0, 1}, {.state = StageState::Running});
  for (const std::string& line : live_block(run, 1001, {})) EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  EXPECT_THAT(live_block(run, 1001, {.color = true}), testing::Contains(HasSubstr("\x1b[32m")));
}

TEST(RunRecord, RunningPackagesAreCutOffWhenTheirStageEnds) {
  RunRecord run = run_of(1);
  run.change(1000, {0, 2}, {.state = StageState::Running});
  begin_package(run, 1001, "gmp");
  run.package(1002, {0, 2}, {.name = "refused", .state = PackageState::Refused});
  run.package(1002, {7, 2}, {.name = "nowhere"});
  run.change(1003, {0, 2}, {.state = StageState::Interrupted});
  const std::vector<PackageRecord>& packages = run.environments[0].stages[2].packages;
  ASSERT_THAT(packages, SizeIs(2));
  EXPECT_EQ(packages[0].state, PackageState::Interrupted);
  EXPECT_EQ(packages[0].ended, 1003);
  EXPECT_EQ(packages[1].state, PackageState::Refused);
}

}  // namespace
}  // namespace stagemake
