#include "run/flow_executor.h"

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
// A step comes after one other at most, so that a node needs no joining: one message in, one out.
using StepNode = tbb::flow::async_node<continue_msg, continue_msg>;

std::vector<Task> tasks_of(const std::vector<FlowStep>& steps) {
  std::vector<Task> tasks;
  for (const FlowStep& step : steps) tasks.push_back(step.task);
  return tasks;
}

// Threads that may wait. Of the steps that are ready they take the one that the dispatcher says.
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
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([this](std::stop_token stop) { serve(stop); });
  }

  void add_ready(std::size_t step) {
    {
      std::lock_guard lock(mutex_);
      dispatcher_.add_ready(step);
      if (--awaited_ > 0) return;
    }
    changed_.notify_all();
  }

 private:
  void serve(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    while (true) {
      std::optional<std::size_t> step;
      auto can_begin = [&] { return awaited_ == 0 && (step = dispatcher_.next()); };
      if (!changed_.wait(lock, stop, can_begin)) return;
      lock.unlock();
      work_(*step);
      lock.lock();
      dispatcher_.end(*step);
      awaited_ += followers_[*step];
      lock.unlock();
      ended_(*step);
      changed_.notify_all();  // there may be room for several others now
      lock.lock();
    }
  }

  const std::function<void(std::size_t)> work_, ended_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Dispatcher dispatcher_;
  std::vector<std::size_t> followers_;  // of each step, how many come right after it
  // Steps that are ready and that the graph has not said yet. None begins until it has: it might come before.
  std::size_t awaited_ = 0;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace

void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits) {
  if (steps.empty()) return;
  tbb::flow::graph graph;
  std::mutex error_mutex;
  std::exception_ptr error;
  // Before the threads: a thread may still be leaving a node when all is done.
  std::vector<std::unique_ptr<StepNode>> nodes;
  std::vector<StepNode::gateway_type*> gateways(steps.size());
  auto work = [&](std::size_t step) {
    try {
      steps[step].work();
    } catch (...) {  // an exception that left a node would cancel the whole graph, and with it other builds
      std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  };
  auto tell_graph = [&](std::size_t step) {
    gateways[step]->try_put(continue_msg());
    gateways[step]->release_wait();
  };
  WaitingThreads threads(steps, limits, work, tell_graph);
  for (std::size_t i = 0; i < steps.size(); ++i)
    nodes.push_back(std::make_unique<StepNode>(graph, tbb::flow::unlimited,
                                               [&, i](continue_msg, StepNode::gateway_type& gateway) {
                                                 gateway.reserve_wait();
                                                 gateways[i] = &gateway;
                                                 threads.add_ready(i);
                                               }));
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].task.after) tbb::flow::make_edge(*nodes[*steps[i].task.after], *nodes[i]);
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!steps[i].task.after) nodes[i]->try_put(continue_msg());
  graph.wait_for_all();
  if (error) std::rethrow_exception(error);
}

}  // namespace stagemake
