// Which stage starts next.
#include "schedule/dispatch.h"

#include <gmock/gmock.h>

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

// The tasks in starting order, if each ends before the next one starts.
std::vector<std::size_t> order(const std::vector<Task>& tasks) {
  Dispatcher dispatcher(tasks, {});
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (!tasks[i].after) dispatcher.add_ready(i);
  std::vector<std::size_t> begun;
  while (std::optional<std::size_t> next = dispatcher.next()) {
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
  Dispatcher dispatcher(kTasks, {.at_once = 2});
  for (std::size_t i : {0u, 2u, 5u}) dispatcher.add_ready(i);
  EXPECT_EQ(dispatcher.next(), 2u);
  EXPECT_EQ(dispatcher.next(), 5u);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  EXPECT_EQ(dispatcher.running(), 2u);
  dispatcher.end(5);
  EXPECT_EQ(dispatcher.next(), 0u);
  EXPECT_EQ(Dispatcher(kTasks, {.at_once = 0}).running(), 0u);
}

TEST(Dispatch, LargeStagesWaitAndSmallerOnesStart) {
  std::vector<Task> tasks = {
      {.seconds = 9, .memory = 6}, {.seconds = 8, .memory = 6}, {.seconds = 1, .memory = 4}};
  Dispatcher dispatcher(tasks, {.at_once = 9, .memory = 10});
  for (std::size_t i : {0u, 1u, 2u}) dispatcher.add_ready(i);
  EXPECT_EQ(dispatcher.next(), 0u);
  EXPECT_EQ(dispatcher.next(), 2u);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  dispatcher.end(2);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.next(), 1u);
}

TEST(Dispatch, OversizedStagesRunAlone) {
  Dispatcher dispatcher({{.seconds = 9, .memory = 60}, {.seconds = 1}}, {.at_once = 9, .memory = 10});
  dispatcher.add_ready(0), dispatcher.add_ready(1);
  EXPECT_EQ(dispatcher.next(), 0u);
  EXPECT_EQ(dispatcher.next(), std::nullopt) << "what is not known takes none, and there is none";
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.next(), 1u);
}

TEST(Dispatch, MeasuredMemoryReducesTheRoom) {
  Dispatcher dispatcher({{.seconds = 9}, {.seconds = 8, .memory = 6}, {.seconds = 7, .memory = 6}},
                        {.at_once = 9, .memory = 10});
  for (std::size_t i : {0u, 1u, 2u}) dispatcher.add_ready(i);
  EXPECT_EQ(dispatcher.next(), 0u);
  EXPECT_FALSE(dispatcher.lacks_memory());
  dispatcher.takes(0, 7);
  EXPECT_EQ(dispatcher.next(), std::nullopt);
  EXPECT_TRUE(dispatcher.lacks_memory());
  dispatcher.takes(0, 1);
  EXPECT_EQ(dispatcher.memory_used(), 7u) << "it may come to that again";
  dispatcher.end(0);
  dispatcher.takes(0, 9);
  EXPECT_EQ(dispatcher.memory_used(), 0u) << "who looked at it did so a moment before its end";
  EXPECT_EQ(dispatcher.next(), 1u);
  EXPECT_EQ(dispatcher.memory_used(), 6u);
}

TEST(Dispatch, LargeStagesAreOvertakenALimitedNumberOfTimes) {
  std::vector<Task> tasks = {{.seconds = 20, .memory = 4}, {.seconds = 10, .memory = 9}};
  for (int i = 0; i < 8; ++i) tasks.push_back({.seconds = 1, .memory = 4});
  Dispatcher dispatcher(tasks, {.at_once = 2, .memory = 10});
  for (std::size_t i = 0; i < tasks.size(); ++i) dispatcher.add_ready(i);
  EXPECT_EQ(dispatcher.next(), 0u);
  for (std::size_t small : {2u, 3u}) {
    EXPECT_EQ(dispatcher.next(), small) << "there is no room for 1";
    dispatcher.end(small);
  }
  EXPECT_EQ(dispatcher.next(), std::nullopt) << "its room is kept free from now on";
  dispatcher.end(0);
  EXPECT_EQ(dispatcher.next(), 1u);
}

}  // namespace
}  // namespace stagemake
