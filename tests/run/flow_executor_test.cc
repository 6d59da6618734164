#include "run/control/flow_executor.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace stagemake {
namespace {

using testing::ElementsAre;
using namespace std::chrono_literals;

// What ran, in order of completion.
class Record {
 public:
  std::function<void(std::optional<std::size_t>)> step(int name) {
    return [this, name](auto) {
      std::lock_guard lock(mutex_);
      order_.push_back(name);
    };
  }
  std::vector<int> order() const { return order_; }
  std::size_t at(int name) const {
    return static_cast<std::size_t>(std::find(order_.begin(), order_.end(), name) - order_.begin());
  }

 private:
  std::mutex mutex_;
  std::vector<int> order_;
};

// Lets steps meet: each waits until `count` are inside at once. False if they do not meet within ten seconds.
class Meeting {
 public:
  explicit Meeting(unsigned count) : count_(count) {}
  bool join() {
    std::unique_lock lock(mutex_);
    ++inside_;
    all_in_.notify_all();
    return all_in_.wait_for(lock, 10s, [&] { return inside_ >= count_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_in_;
  unsigned count_;
  unsigned inside_ = 0;
};

TEST(FlowExecutor, NothingToDoIsDone) {
  EXPECT_NO_THROW(execute_flow({}, {}));
}

TEST(FlowExecutor, AChainRunsInOrder) {
  for (unsigned at_once : {1u, 8u}) {
    Record record;
    std::vector<FlowStep> steps = {{{}, record.step(0)},
                                   {{.after = 0}, record.step(1)},
                                   {{.after = 1}, record.step(2)},
                                   {{.after = 2}, record.step(3)}};
    execute_flow(steps, {.at_once = at_once});
    EXPECT_THAT(record.order(), ElementsAre(0, 1, 2, 3));
  }
}

TEST(FlowExecutor, BranchesComeAfterTheirParentAndEachRunsOnce) {
  Record record;
  // 0 ─► 1 ─► 3        4 is separate
  //   └► 2
  execute_flow({{{}, record.step(0)},
                {{.after = 0}, record.step(1)},
                {{.after = 0}, record.step(2)},
                {{.after = 1}, record.step(3)},
                {{}, record.step(4)}},
               {.at_once = 3});
  EXPECT_THAT(record.order(), testing::UnorderedElementsAre(0, 1, 2, 3, 4));
  EXPECT_LT(record.at(0), record.at(1));
  EXPECT_LT(record.at(0), record.at(2));
  EXPECT_LT(record.at(1), record.at(3));
}

TEST(FlowExecutor, BranchesRunAtTheSameTimeAlsoWhereThereAreFewerCores) {
  constexpr unsigned kBranches = 16;
  Meeting meeting(kBranches);
  std::atomic<unsigned> met{0};
  std::vector<FlowStep> steps = {{{}, [](auto) {}}};
  for (unsigned i = 0; i < kBranches; ++i)
    steps.push_back({{.after = 0}, [&](auto) { met += meeting.join() ? 1 : 0; }});
  execute_flow(steps, {.at_once = kBranches});
  EXPECT_EQ(met, kBranches);
}

TEST(FlowExecutor, NeverMoreAtOnceThanAllowed) {
  for (unsigned at_once : {0u, 1u, 3u}) {
    std::atomic<unsigned> running{0}, most{0};
    std::vector<FlowStep> steps(30, {{}, [&](auto) {
                                       unsigned now = ++running;
                                       for (unsigned seen = most;
                                            now > seen && !most.compare_exchange_weak(seen, now);) {
                                       }
                                       std::this_thread::sleep_for(200us);
                                       --running;
                                     }});
    execute_flow(steps, {.at_once = at_once});
    EXPECT_LE(most, std::max(1u, at_once));
    EXPECT_GE(most, 1u);
  }
}

TEST(FlowExecutor, TheCriticalPathStartsFirst) {
  for (int i = 0; i < 100; ++i) {
    Record record;
    // 0 is short; 1 ─► 2 ─► 3 is long; 4 is in between.
    execute_flow({{{.seconds = 1}, record.step(0)},
                  {{.seconds = 5}, record.step(1)},
                  {{.after = 1, .seconds = 5}, record.step(2)},
                  {{.after = 2, .seconds = 2}, record.step(3)},
                  {{.seconds = 4}, record.step(4)}},
                 {.at_once = 1});
    ASSERT_THAT(record.order(), ElementsAre(1, 2, 4, 3, 0));
  }
}

TEST(FlowExecutor, AnExceptionStopsNothingAndIsReported) {
  Record record;
  std::vector<FlowStep> steps = {{{}, [](auto) { throw std::runtime_error("first"); }},
                                 {{.after = 0}, record.step(1)},
                                 {{}, record.step(2)},
                                 {{.after = 2}, record.step(3)}};
  try {
    execute_flow(steps, {.at_once = 2});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
  EXPECT_THAT(record.order(), testing::UnorderedElementsAre(1, 2, 3));
}

TEST(FlowExecutor, TenThousandStepsTakeNoTimeToSpeakOf) {
  std::atomic<unsigned> ran{0};
  std::vector<FlowStep> steps;
  for (std::size_t i = 0; i < 10'000; ++i)
    steps.push_back({{.after = i % 10 == 0 ? std::nullopt : std::optional(i - 1)}, [&](auto) { ++ran; }});
  auto began = std::chrono::steady_clock::now();
  execute_flow(steps, {.at_once = 4});
  EXPECT_EQ(ran, 10'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s) << "it takes well below one";
}

TEST(FlowExecutor, RunsOfItMayBeNestedInTimeAndRepeated) {
  for (int i = 0; i < 200; ++i) {
    std::atomic<int> ran{0};
    execute_flow({{{}, [&](auto) { ++ran; }}, {{.after = 0}, [&](auto) { ++ran; }}}, {.at_once = 2});
    ASSERT_EQ(ran, 2);
  }
}

TEST(FlowExecutor, AStepThatTakesMoreMemoryThanWasThoughtKeepsOthersWaiting) {
  std::atomic<bool> first_runs{false};
  std::atomic<int> beside{0};
  std::promise<void> grown;
  FlowExecutor* flow = nullptr;
  // 0 grows; the step after 1 fits by its prediction, but no longer once 0 has grown.
  FlowExecutor executor(
      {{{.seconds = 9, .memory = 1},
        [&](auto) {
          first_runs = true;
          flow->takes(0, 9);
          grown.set_value();
          auto give_up = std::chrono::steady_clock::now() + 10s;
          while (!flow->memory().lacks && std::chrono::steady_clock::now() < give_up)
            std::this_thread::sleep_for(1ms);
          EXPECT_TRUE(flow->memory().lacks);
          EXPECT_EQ(flow->memory().used, 9u);
          first_runs = false;
        }},
       {{.seconds = 2, .memory = 1}, [&](auto) { grown.get_future().wait(); }},
       {{.after = 1, .seconds = 1, .memory = 5}, [&](auto) { beside += first_runs ? 1 : 0; }}},
      {{.at_once = 3, .memory = 10}});
  flow = &executor;
  executor.run();
  EXPECT_EQ(beside, 0);
}

// 0 ─► 1 ─► 2 are one environment, and 3 is another one that follows 0.
TEST(FlowExecutor, AnEnvironmentThatIsRepeatedRunsOnceMoreAndItsFollowersDoNot) {
  for (std::size_t asks : {0u, 1u, 2u}) {
    std::mutex mutex;
    std::vector<unsigned> ran(4);
    FlowExecutor* flow = nullptr;
    auto step = [&](std::size_t number) {
      return [&, number](auto) {
        std::lock_guard lock(mutex);
        if (++ran[number] == 1 && number == asks) flow->repeat(0);
      };
    };
    FlowExecutor executor({{{}, step(0)},
                           {{.after = 0}, step(1)},
                           {{.after = 1}, step(2)},
                           {{.after = 0, .environment = 1}, step(3)}},
                          {{.at_once = 2}, {.at_once = 2}});
    flow = &executor;
    executor.run();
    EXPECT_THAT(ran, ElementsAre(2, 2, 2, 1)) << asks;
  }
}

TEST(FlowExecutor, AStepLearnsItsMachineAndALostOneGetsNone) {
  std::atomic<unsigned> on_second{0}, ran{0};
  std::vector<FlowStep> steps;
  for (std::size_t e = 0; e < 8; ++e)
    steps.push_back({{.seconds = 1, .environment = e, .work = 1}, [&](std::optional<std::size_t> machine) {
                       ++ran;
                       on_second += machine == 1u ? 1 : 0;
                     }});
  FlowExecutor executor(steps, {{}, {.slots = 9, .at_once = 9}});
  executor.lose(1);
  executor.run();
  EXPECT_EQ(ran, 8u);
  EXPECT_EQ(on_second, 0u);
}

}  // namespace
}  // namespace stagemake
