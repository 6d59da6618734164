// Which stage starts next.
#include "schedule/dispatch.h"

#include <gmock/gmock.h>

#include <random>

namespace stagemake {
namespace {

using testing::ElementsAre;

// Two chains 0 ─► 1 and 2 ─► 3 ─► 4, and 5 alone.
const std::vector<Task> kTasks = {{.seconds = 10},
                                  {.after = 0, .seconds = 10},
                                  {.seconds = 1},
                                  {.after = 2, .seconds = 30},
                                  {.after = 3, .seconds = 5},
                                  {.seconds = 21}};

std::optional<std::size_t> next_task(Dispatcher& dispatcher) {
  std::optional<Dispatcher::Start> start = dispatcher.next();
  return start ? std::optional(start->task) : std::nullopt;
}

// The tasks in starting order, if each ends before the next one starts.
std::vector<std::size_t> order(const std::vector<Task>& tasks) {
  Dispatcher dispatcher(tasks, {{}});
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (!tasks[i].after) dispatcher.add_ready(i);
  std::vector<std::size_t> begun;
  while (std::optional<std::size_t> next = next_task(dispatcher)) {
    begun.push_back(*next);
    dispatcher.end(*next);
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (tasks[i].after == next) dispatcher.add_ready(i);
  }
  return begun;
}

TEST(Dispatch, TheRemainingTimeIsTheCriticalPath) {
  EXPECT_THAT(remaining_seconds(kTasks), ElementsAre(20, 10, 36, 35, 5, 21));
  EXPECT_THAT(remaining_seconds({{.seconds = 1}, {.after = 0, .seconds = 2}, {.after = 0, .seconds = 7}}),
              ElementsAre(8, 2, 7));
}

TEST(Dispatch, TheLongestWayFirstAndOfEqualsTheEarliest) {
  EXPECT_THAT(order(kTasks), ElementsAre(2, 3, 5, 0, 1, 4));
  EXPECT_THAT(order({{.seconds = 1}, {.seconds = 1}, {.seconds = 1}}), ElementsAre(0, 1, 2));
}

TEST(Dispatch, PrioritizedStagesStartFirstWithTheirParents) {
  std::vector<Task> tasks = kTasks;
  tasks[1].is_first = true;
  EXPECT_THAT(order(tasks), ElementsAre(0, 1, 2, 3, 5, 4));
}

TEST(Dispatch, NoMoreAtOnceThanAllowed) {
  Dispatcher dispatcher(kTasks, {{.at_once = 2}});
  for (std::size_t i : {0u, 2u, 5u}) dispatcher.add_ready(i);
  EXPECT_EQ(next_task(dispatcher), 2u);
  EXPECT_EQ(next_task(dispatcher), 5u);
  EXPECT_EQ(next_task(dispatcher), std::nullopt);
  EXPECT_EQ(dispatcher.running(), 2u);
  dispatcher.end(5);
  EXPECT_EQ(next_task(dispatcher), 0u);
  EXPECT_EQ(Dispatcher(kTasks, {{.at_once = 0}}).running(), 0u);
}

TEST(Dispatch, LargeStagesWaitAndSmallerOnesStart) {
  std::vector<Task> tasks = {
      {.seconds = 9, .memory = 6}, {.seconds = 8, .memory = 6}, {.seconds = 1, .memory = 4}};
  Dispatcher dispatcher(tasks, {{.at_once = 9, .memory = 10}});
  for (std::size_t i : {0u, 1u, 2u}) dispatcher.add_ready(i);
  EXPECT_EQ(next_task(dispatcher), 0u);
  EXPECT_EQ(next_task(dispatcher), 2u);
  EXPECT_EQ(next_task(dispatcher), std::nullopt);
  dispatcher.end(2);
  EXPECT_EQ(next_task(dispatcher), std::nullopt);
  dispatcher.end(0);
  EXPECT_EQ(next_task(dispatcher), 1u);
}

TEST(Dispatch, OversizedStagesRunAlone) {
  Dispatcher dispatcher({{.seconds = 9, .memory = 60}, {.seconds = 1}}, {{.at_once = 9, .memory = 10}});
  dispatcher.add_ready(0), dispatcher.add_ready(1);
  EXPECT_EQ(next_task(dispatcher), 0u);
  EXPECT_EQ(next_task(dispatcher), std::nullopt) << "what is not known takes none, and there is none";
  dispatcher.end(0);
  EXPECT_EQ(next_task(dispatcher), 1u);
}

TEST(Dispatch, MeasuredMemoryReducesTheRoom) {
  Dispatcher dispatcher({{.seconds = 9}, {.seconds = 8, .memory = 6}, {.seconds = 7, .memory = 6}},
                        {{.at_once = 9, .memory = 10}});
  for (std::size_t i : {0u, 1u, 2u}) dispatcher.add_ready(i);
  EXPECT_EQ(next_task(dispatcher), 0u);
  EXPECT_FALSE(dispatcher.lacks_memory());
  dispatcher.takes(0, 7);
  EXPECT_EQ(next_task(dispatcher), std::nullopt);
  EXPECT_TRUE(dispatcher.lacks_memory());
  dispatcher.takes(0, 1);
  EXPECT_EQ(dispatcher.memory_used(), 7u) << "it may come to that again";
  dispatcher.end(0);
  dispatcher.takes(0, 9);
  EXPECT_EQ(dispatcher.memory_used(), 0u) << "who looked at it did so a moment before its end";
  EXPECT_EQ(next_task(dispatcher), 1u);
  EXPECT_EQ(dispatcher.memory_used(), 6u);
}

TEST(Dispatch, LargeStagesAreOvertakenALimitedNumberOfTimes) {
  std::vector<Task> tasks = {{.seconds = 20, .memory = 4}, {.seconds = 10, .memory = 9}};
  for (int i = 0; i < 8; ++i) tasks.push_back({.seconds = 1, .memory = 4});
  Dispatcher dispatcher(tasks, {{.at_once = 2, .memory = 10}});
  for (std::size_t i = 0; i < tasks.size(); ++i) dispatcher.add_ready(i);
  EXPECT_EQ(next_task(dispatcher), 0u);
  for (std::size_t small : {2u, 3u}) {
    EXPECT_EQ(next_task(dispatcher), small) << "there is no room for 1";
    dispatcher.end(small);
  }
  EXPECT_EQ(next_task(dispatcher), std::nullopt) << "its room is kept free from now on";
  dispatcher.end(0);
  EXPECT_EQ(next_task(dispatcher), 1u);
}

// --- Several machines

using Start = Dispatcher::Start;

// Three environments of two stages each, each with as much work.
std::vector<Task> environments(std::size_t count, double move_seconds = 1) {
  std::vector<Task> tasks;
  for (std::size_t e = 0; e < count; ++e)
    for (std::size_t s = 0; s < 2; ++s)
      tasks.push_back({.after = s == 0 ? std::nullopt : std::optional(2 * e),
                       .seconds = 10,
                       .environment = e,
                       .work = 10,
                       .move_seconds = move_seconds});
  return tasks;
}

Dispatcher dispatcher_of(const std::vector<Task>& tasks, const std::vector<DispatchLimits>& machines) {
  Dispatcher dispatcher(tasks, machines);
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (!tasks[i].after) dispatcher.add_ready(i);
  return dispatcher;
}

TEST(DispatchOnMachines, EnvironmentsAreSpreadAndStay) {
  Dispatcher dispatcher = dispatcher_of(environments(2), {{}, {}});
  EXPECT_EQ(dispatcher.next(), (Start{0, 0}));
  EXPECT_EQ(dispatcher.next(), (Start{2, 1}));
  dispatcher.end(0), dispatcher.end(2);
  dispatcher.add_ready(1), dispatcher.add_ready(3);
  EXPECT_EQ(dispatcher.next(), (Start{1, 0}));
  EXPECT_EQ(dispatcher.next(), (Start{3, 1}));
}

TEST(DispatchOnMachines, ALargeMachineGetsMore) {
  Dispatcher dispatcher = dispatcher_of(environments(5), {{.slots = 4, .at_once = 4}, {.slots = 1}});
  std::size_t large = 0;
  while (std::optional<Start> start = dispatcher.next()) large += start->machine == 0u ? 1 : 0;
  EXPECT_EQ(large, 4u);
}

TEST(DispatchOnMachines, WaitingForALargeMachineCanBeBetterThanASmallOneNow) {
  std::vector<Task> tasks = {{.seconds = 1, .environment = 0, .work = 10},
                             {.seconds = 1, .environment = 1, .work = 1000}};
  Dispatcher dispatcher = dispatcher_of(tasks, {{.slots = 100, .at_once = 1}, {.slots = 1}});
  EXPECT_EQ(dispatcher.next(), (Start{0, 0}));
  EXPECT_EQ(dispatcher.next(), std::nullopt) << "there it would take 1000 s, here 10 s";
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.next(), (Start{1, 0}));
}

TEST(DispatchOnMachines, AnEnvironmentMovesIfThatPaysForItsImage) {
  for (double move_seconds : {2.0, 100.0}) {
    // The first machine has two environments, and the second one becomes idle.
    std::vector<Task> tasks = environments(3, move_seconds);
    Dispatcher dispatcher = dispatcher_of(tasks, {{.at_once = 2}, {}});
    EXPECT_EQ(dispatcher.next(), (Start{0, 0}));
    EXPECT_EQ(dispatcher.next(), (Start{2, 1}));
    EXPECT_EQ(dispatcher.next(), (Start{4, 0}));
    dispatcher.end(2), dispatcher.add_ready(3);
    EXPECT_EQ(dispatcher.next(), (Start{3, 1}));
    dispatcher.end(3);
    dispatcher.end(0), dispatcher.add_ready(1);
    EXPECT_EQ(dispatcher.next(), (Start{1, move_seconds < 10 ? 1u : 0u})) << move_seconds;
  }
}

TEST(DispatchOnMachines, StagesAtTheSameTimeAreOnOneMachine) {
  std::vector<Task> tasks = {{.seconds = 1, .work = 1},
                             {.after = 0, .seconds = 9, .work = 9},
                             {.after = 0, .seconds = 8, .work = 9}};
  Dispatcher dispatcher = dispatcher_of(tasks, {{.at_once = 1}, {.at_once = 9}});
  EXPECT_EQ(dispatcher.next(), (Start{0, 0}));
  dispatcher.end(0), dispatcher.add_ready(1), dispatcher.add_ready(2);
  EXPECT_EQ(dispatcher.next(), (Start{1, 0}));
  EXPECT_EQ(dispatcher.next(), std::nullopt);
}

TEST(DispatchOnMachines, AnEnvironmentStartsWhereItsImagesAre) {
  std::vector<Task> tasks = {{.seconds = 5, .work = 5, .bring_seconds = {60, 0}}};
  EXPECT_EQ(dispatcher_of(tasks, {{}, {}}).next(), (Start{0, 1}));
  tasks[0].bring_seconds = {0, 60};
  EXPECT_EQ(dispatcher_of(tasks, {{}, {}}).next(), (Start{0, 0}));
}

TEST(DispatchOnMachines, WhatIsTooLargeForOneRunsOnTheOther) {
  std::vector<Task> tasks = {{.seconds = 5, .memory = 8, .work = 5}};
  EXPECT_EQ(dispatcher_of(tasks, {{.slots = 9, .memory = 4}, {.memory = 16}}).next(), (Start{0, 1}));
}

TEST(DispatchOnMachines, ALostMachineGetsNothingUntilItIsBack) {
  std::vector<Task> tasks = environments(2);
  Dispatcher dispatcher = dispatcher_of(tasks, {{}, {}});
  EXPECT_EQ(dispatcher.next(), (Start{0, 0}));
  EXPECT_EQ(dispatcher.next(), (Start{2, 1}));
  dispatcher.lose(1);
  dispatcher.end(2);
  dispatcher.restart(1);
  dispatcher.add_ready(2);
  EXPECT_EQ(dispatcher.next(), std::nullopt) << "the other one is busy";
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.next(), (Start{2, 0}));
  dispatcher.add_ready(1);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  dispatcher.regain(1);
  EXPECT_EQ(dispatcher.next(), (Start{1, 1}));
}

TEST(DispatchOnMachines, WithoutAMachineATaskStartsOnlyToFail) {
  Dispatcher dispatcher = dispatcher_of(environments(1), {{}, {}});
  dispatcher.lose(0), dispatcher.lose(1);
  EXPECT_EQ(dispatcher.next(), std::nullopt) << "they may come back";
  dispatcher.give_up(0);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  dispatcher.exclude(0, 1);
  EXPECT_EQ(dispatcher.next(), (Start{0, std::nullopt}));
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.running(), 0u);
}

// Whatever happens to machines, each task runs once where a machine is left.
TEST(DispatchOnMachines, NothingIsForgottenAndNothingRunsTwice) {
  std::mt19937_64 random(3);
  auto upto = [&](std::uint64_t most) { return static_cast<std::size_t>(random() % (most + 1)); };
  for (int round = 0; round < 300; ++round) {
    std::vector<Task> tasks = environments(1 + upto(8));
    for (Task& task : tasks) task.memory = upto(5);
    std::vector<DispatchLimits> machines;
    for (std::size_t m = 0, count = 1 + upto(3); m < count; ++m)
      machines.push_back({.slots = static_cast<unsigned>(1 + upto(7)),
                          .at_once = static_cast<unsigned>(1 + upto(3)),
                          .memory = 3 * upto(3)});
    Dispatcher dispatcher = dispatcher_of(tasks, machines);
    std::vector<std::size_t> running;
    std::vector<unsigned> ran(tasks.size());
    for (bool goes_on = true; goes_on;) {
      std::size_t shaken = upto(machines.size() - 1);
      upto(1) == 0 ? dispatcher.lose(shaken) : dispatcher.regain(shaken);
      while (std::optional<Start> start = dispatcher.next()) {
        ASSERT_TRUE(start->machine);
        running.push_back(start->task);
      }
      for (std::size_t m = 0; running.empty() && m < machines.size(); ++m) dispatcher.regain(m);
      if (running.empty())
        if (std::optional<Start> start = dispatcher.next()) running.push_back(start->task);
      goes_on = !running.empty();
      if (!goes_on) break;
      std::swap(running[upto(running.size() - 1)], running.back());
      std::size_t ended = running.back();
      running.pop_back();
      ++ran[ended];
      dispatcher.end(ended);
      for (std::size_t i = 0; i < tasks.size(); ++i)
        if (tasks[i].after == ended) dispatcher.add_ready(i);
    }
    EXPECT_THAT(ran, testing::Each(1u)) << round;
    EXPECT_EQ(dispatcher.memory_used(), 0u);
  }
}

}  // namespace
}  // namespace stagemake
