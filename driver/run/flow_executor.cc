#include "run/flow_executor.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace stagemake {
namespace {

using tbb::flow::continue_msg;
// A step has one parent at most, so that a node needs no joining: one message in, one out.
using StepNode = tbb::flow::async_node<continue_msg, continue_msg>;

// Threads that may wait. They take work in the order in which it came.
class WaitingThreads {
 public:
  explicit WaitingThreads(unsigned count) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this](std::stop_token stop) { serve(stop); });
  }

  void post(std::function<void()> work) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    ready_.notify_one();
  }

 private:
  void serve(std::stop_token stop) {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        if (!ready_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

  std::mutex mutex_;
  std::condition_variable_any ready_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace

void execute_flow(const std::vector<FlowStep>& steps, unsigned at_once) {
  if (steps.empty()) return;
  tbb::flow::graph graph;
  std::mutex error_mutex;
  std::exception_ptr error;
  std::vector<std::unique_ptr<StepNode>>
      nodes;  // before the threads: a thread may still be leaving a node when all is done
  WaitingThreads threads(static_cast<unsigned>(std::min<std::size_t>(std::max(1u, at_once), steps.size())));
  for (const FlowStep& step : steps) {
    auto hand_over = [&, work = step.work](continue_msg, StepNode::gateway_type& gateway) {
      gateway.reserve_wait();
      threads.post([&, work] {
        try {
          work();
        } catch (
            ...) {  // an exception that left a node would cancel the whole graph, and with it other builds
          std::lock_guard lock(error_mutex);
          if (!error) error = std::current_exception();
        }
        gateway.try_put(continue_msg());
        gateway.release_wait();
      });
    };
    nodes.push_back(std::make_unique<StepNode>(graph, tbb::flow::unlimited, hand_over));
  }
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i].after) tbb::flow::make_edge(*nodes[*steps[i].after], *nodes[i]);
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!steps[i].after) nodes[i]->try_put(continue_msg());
  graph.wait_for_all();
  if (error) std::rethrow_exception(error);
}

}  // namespace stagemake
