// How long a build would take.
#include "schedule/simulation.h"

#include <gmock/gmock.h>

#include <random>

namespace stagemake {
namespace {

using testing::ElementsAre;

TEST(Simulation, NothingTakesNoTime) {
  Simulated none = simulate({}, std::vector<SimulatedMachine>(1));
  EXPECT_EQ(none.makespan, 0);
  EXPECT_EQ(none.lower_bound(), 0);
  EXPECT_EQ(none.efficiency(), 1);
}

TEST(Simulation, AStageWaitsThenIsAloneThenMakesItsPackages) {
  // 0 ─► 2, 1; two slots.
  SimulatedStage stage{.waiting_seconds = 10,
                       .alone_seconds = 5,
                       .packages = {{.seconds = 3}, {.seconds = 4}, {.seconds = 2, .needs = {0}}}};
  Simulated one = simulate({stage}, {{.slots = 2, .at_once = 1}});
  EXPECT_DOUBLE_EQ(one.makespan, 10 + 5 + 5);
  EXPECT_DOUBLE_EQ(one.work, 14);
  EXPECT_DOUBLE_EQ(one.longest_path, 20);
  EXPECT_DOUBLE_EQ(one.lower_bound(), 20);
  EXPECT_DOUBLE_EQ(one.efficiency(), 14.0 / 40);
  EXPECT_DOUBLE_EQ(simulate({stage}, {{.slots = 1, .at_once = 1}}).makespan, 10 + 14);
}

TEST(Simulation, MakeTakesPackagesInItsOrder) {
  SimulatedStage stage{.packages = {{.seconds = 1}, {.seconds = 1}, {.seconds = 8}}};
  EXPECT_DOUBLE_EQ(simulate({stage}, {{.slots = 2, .at_once = 1}}).makespan, 9)
      << "the long one is the last there";
}

TEST(Simulation, TheLongestWayBeginsFirst) {
  std::vector<SimulatedStage> stages = {{.environment = 0, .alone_seconds = 1},
                                        {.environment = 1, .alone_seconds = 1},
                                        {.environment = 2, .alone_seconds = 1},
                                        {.environment = 2, .after = 2, .alone_seconds = 4}};
  std::vector<SimulatedMachine> two{{.slots = 2, .at_once = 2}};
  EXPECT_THAT(simulate(stages, two).ends, ElementsAre(1, 2, 1, 5));
  EXPECT_DOUBLE_EQ(simulate(stages, two, SimulatedOrder::FirstCome).makespan, 6);
}

TEST(Simulation, SlotsGoToWhoHasTheFewest) {
  // The first stage could use both slots.
  std::vector<SimulatedStage> stages = {{.environment = 0, .packages = {{.seconds = 4}, {.seconds = 4}}},
                                        {.environment = 1, .packages = {{.seconds = 1}}}};
  EXPECT_THAT(simulate(stages, {{.slots = 2, .at_once = 2}}).ends, ElementsAre(5, 1));
}

TEST(Simulation, NoMoreStagesAtOnceThanAllowedAndNoneWithoutMemory) {
  std::vector<SimulatedStage> stages = {{.environment = 0, .alone_seconds = 2, .memory = 6},
                                        {.environment = 1, .alone_seconds = 2, .memory = 6}};
  EXPECT_DOUBLE_EQ(simulate(stages, {{.slots = 4, .at_once = 4}}).makespan, 2);
  EXPECT_DOUBLE_EQ(simulate(stages, {{.slots = 4, .at_once = 1}}).makespan, 4);
  EXPECT_DOUBLE_EQ(simulate(stages, {{.slots = 4, .at_once = 4, .memory = 10}}).makespan, 4);
}

TEST(Simulation, MachinesGetEnvironmentsByTheirWork) {
  std::vector<SimulatedStage> stages;
  for (double seconds : {3.0, 7.0, 5.0, 4.0})
    stages.push_back({.environment = stages.size(), .alone_seconds = seconds});
  Simulated two = simulate(stages, std::vector<SimulatedMachine>(2));
  EXPECT_DOUBLE_EQ(two.makespan, 10) << "7 and 3, 5 and 4";
  EXPECT_EQ(two.slots, 2u);
  EXPECT_DOUBLE_EQ(two.lower_bound(), 9.5);
}

// No schedule may beat the lower bound, lose a stage, or start a stage before the stage that it comes after
// has ended. A greedy schedule cannot take longer than the critical path and the work together (Graham's
// bound).
TEST(Simulation, KeepsTheBoundsOfAnySchedule) {
  std::mt19937_64 random(7);
  auto upto = [&](std::uint64_t most) { return random() % (most + 1); };
  for (int i = 0; i < 300; ++i) {
    std::vector<SimulatedStage> stages;
    for (std::size_t e = 0, environments = 1 + upto(8); e < environments; ++e)
      for (std::size_t s = 0, count = 1 + upto(4); s < count; ++s) {
        SimulatedStage stage{.environment = e,
                             .after = s == 0 ? std::nullopt : std::optional(stages.size() - 1),
                             .alone_seconds = static_cast<double>(upto(5))};
        for (std::size_t p = 0, packages = upto(12); p < packages; ++p) {
          SimulatedPackage package{.seconds = static_cast<double>(upto(20))};
          for (std::size_t needed = 0; needed < p; ++needed)
            if (upto(3) == 0) package.needs.push_back(needed);
          stage.packages.push_back(package);
        }
        stages.push_back(stage);
      }
    unsigned slots = static_cast<unsigned>(1 + upto(6));
    Simulated one = simulate(stages, {{.slots = slots, .at_once = 100}});
    ASSERT_GE(one.makespan + 1e-9, one.lower_bound()) << i;
    ASSERT_LE(one.makespan, one.longest_path + one.work / slots + 1e-9) << i;
    for (std::size_t s = 0; s < stages.size(); ++s) {
      double begins = stages[s].after ? one.ends[*stages[s].after] : 0;
      ASSERT_GE(one.ends[s] + 1e-9, begins + stages[s].longest_path()) << i;
    }
  }
}

}  // namespace
}  // namespace stagemake
