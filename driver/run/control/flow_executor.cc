#include "run/control/flow_executor.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace stagemake {
namespace {

using tbb::flow::continue_msg;
// A step comes after at most one other, so a node need not join: one message in, one out.
using StepNode = tbb::flow::async_node<continue_msg, continue_msg>;

std::vector<Task> tasks_of(const std::vector<FlowStep>& steps) {
  std::vector<Task> tasks;
  for (const FlowStep& step : steps) tasks.push_back(step.task);
  return tasks;
}

// The bookkeeping for a finished step throws only if memory runs out, and all other steps wait for it, so it
// is repeated until there is memory.
template <typename Call>
void insist(const Call& call) noexcept {
  while (true) {
    try {
      call();
      return;
    } catch (...) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // base/process/sleep needs memory
    }
  }
}

// Threads that may block. They take the ready step that the dispatcher chooses.
class WaitingThreads {
 public:
  WaitingThreads(const std::vector<FlowStep>& steps, const DispatchLimits& limits,
                 std::function<void(std::size_t)> work, std::function<void(std::size_t)> ended)
      : work_(std::move(work)),
        ended_(std::move(ended)),
        dispatcher_(tasks_of(steps), limits),
        followers_(steps.size()) {
    for (const FlowStep& step : steps) ++(step.task.after ? followers_[*step.task.after] : awaited_);
    std::size_t count = std::min<std::size_t>(std::max(1u, limits.at_once), steps.size());
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this] { serve(); });
  }
  // (No stop token: with one, waking each of a thousand threads would wake all of them.)
  ~WaitingThreads() {
    {
      std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  WaitingThreads(const WaitingThreads&) = delete;
  WaitingThreads& operator=(const WaitingThreads&) = delete;

  void add_ready(std::size_t step) {
    {
      std::lock_guard lock(mutex_);
      insist([&] { dispatcher_.add_ready(step); });
      if (--awaited_ > 0) return;
    }
    changed_.notify_one();
  }

  void takes(std::size_t step, std::uint64_t memory) {
    std::lock_guard lock(mutex_);
    dispatcher_.takes(step, memory);
  }

  FlowExecutor::MemoryUse memory() const {
    std::lock_guard lock(mutex_);
    return {.lacks = dispatcher_.lacks_memory(), .used = dispatcher_.memory_used()};
  }

 private:
  // One thread is woken when a step may be ready, and wakes the next one if it finds a step: waking all of a
  // thousand threads each time would cause a million wake-ups.
  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      std::optional<std::size_t> step;
      changed_.wait(lock, [&] { return is_over_ || (awaited_ == 0 && (step = dispatcher_.next())); });
      if (is_over_) return;
      lock.unlock();
      changed_.notify_one();
      work_(*step);
      lock.lock();
      dispatcher_.end(*step);
      awaited_ += followers_[*step];
      lock.unlock();
      insist([&] { ended_(*step); });
      lock.lock();  // and checks itself whether there is room now, for one and then for others
    }
  }

  const std::function<void(std::size_t)> work_, ended_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Dispatcher dispatcher_;
  std::vector<std::size_t> followers_;  // per step: how many come right after it
  // Steps that are ready but not yet announced by the graph. No step starts until they are: one of them might
  // come first.
  std::size_t awaited_ = 0;
  bool is_over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

struct FlowExecutor::Graph {
  Graph(const std::vector<FlowStep>& steps, const DispatchLimits& limits)
      : gateways(steps.size()),
        threads(
            steps, limits, [this, &steps](std::size_t step) { work(steps[step]); },
            [this](std::size_t step) {
              gateways[step]->try_put(continue_msg());
              gateways[step]->release_wait();
            }) {}

  void work(const FlowStep& step) {
    try {
      step.work();
    } catch (...) {  // an exception that leaves a node would cancel the whole graph, and with it other builds
      std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  tbb::flow::graph graph;
  std::mutex error_mutex;
  std::exception_ptr error;
  // Declared before the threads: a thread may still be leaving a node when all is done.
  std::vector<std::unique_ptr<StepNode>> nodes;
  std::vector<StepNode::gateway_type*> gateways;
  WaitingThreads threads;
};

FlowExecutor::FlowExecutor(std::vector<FlowStep> steps, const DispatchLimits& limits)
    : steps_(std::move(steps)), graph_(std::make_unique<Graph>(steps_, limits)) {}

FlowExecutor::~FlowExecutor() = default;

void FlowExecutor::run() {
  Graph& all = *graph_;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    all.nodes.push_back(std::make_unique<StepNode>(all.graph, tbb::flow::unlimited,
                                                   [&all, i](continue_msg, StepNode::gateway_type& gateway) {
                                                     gateway.reserve_wait();
                                                     all.gateways[i] = &gateway;
                                                     all.threads.add_ready(i);
                                                   }));
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i].task.after) tbb::flow::make_edge(*all.nodes[*steps_[i].task.after], *all.nodes[i]);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (!steps_[i].task.after) all.nodes[i]->try_put(continue_msg());
  all.graph.wait_for_all();
  if (all.error) std::rethrow_exception(all.error);
}

void FlowExecutor::takes(std::size_t step, std::uint64_t memory) {
  graph_->threads.takes(step, memory);
}

FlowExecutor::MemoryUse FlowExecutor::memory() const {
  return graph_->threads.memory();
}

void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits) {
  FlowExecutor(steps, limits).run();
}

}  // namespace stagemake
