#include "run/control/flow_executor.h"

#include <tbb/flow_graph.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

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
  using Start = Dispatcher::Start;
  // Gets a step that has returned, and the steps that begin another pass over its environment.
  using Ended = std::function<void(std::size_t step, const std::vector<std::size_t>& again)>;

  WaitingThreads(const std::vector<FlowStep>& steps, const std::vector<DispatchLimits>& machines,
                 std::function<void(const Start&)> work, Ended ended)
      : work_(std::move(work)),
        ended_(std::move(ended)),
        dispatcher_(tasks_of(steps), machines),
        steps_(steps.size()) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const Task& task = steps[i].task;
      ++(task.after ? steps_[*task.after].followers : awaited_);
      steps_[i].environment = task.environment;
      Environment& environment = environments_[task.environment];
      ++environment.left;
      environment.steps.push_back(i);
      if (!task.after || steps[*task.after].task.environment != task.environment)
        environment.first.push_back(i);
    }
    std::size_t count = 0;
    for (const DispatchLimits& limits : machines) count += std::max(1u, limits.at_once);
    count = std::min(count, steps.size());
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

  // False if the step does not run for that: it was ready before, and only a step before it is repeated.
  bool add_ready(std::size_t step) {
    bool is_new = false;
    {
      std::lock_guard lock(mutex_);
      is_new = !std::exchange(steps_[step].is_announced, true);
      if (is_new) insist([&] { dispatcher_.add_ready(step); });
      if (--awaited_ > 0) return is_new;
    }
    changed_.notify_one();
    return is_new;
  }

  void repeat(std::size_t environment) {
    std::lock_guard lock(mutex_);
    environments_[environment].repeats = true;
  }

  // Tells the dispatcher something that may let steps start.
  template <typename Call>
  void tell(const Call& call) {
    {
      std::lock_guard lock(mutex_);
      call(dispatcher_);
    }
    changed_.notify_one();
  }

  FlowExecutor::MemoryUse memory() const {
    std::lock_guard lock(mutex_);
    return {.lacks = dispatcher_.lacks_memory(), .used = dispatcher_.memory_used()};
  }

 private:
  struct Step {
    std::size_t environment = 0;
    std::size_t followers = 0;  // how many come right after it
    bool is_announced = false;  // by the graph, in this pass over its environment
  };
  struct Environment {
    std::size_t left = 0;  // steps that have not returned in this pass
    std::vector<std::size_t> steps = {};
    std::vector<std::size_t> first = {};  // those that follow no other step of it
    bool repeats = false;                 // there will be another pass
  };

  // One thread is woken when a step may be ready, and wakes the next one if it finds a step: waking all of a
  // thousand threads each time would cause a million wake-ups.
  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      std::optional<Start> start;
      changed_.wait(lock, [&] { return is_over_ || (awaited_ == 0 && (start = dispatcher_.next())); });
      if (is_over_) return;
      lock.unlock();
      changed_.notify_one();
      work_(*start);
      lock.lock();
      dispatcher_.end(start->task);
      awaited_ += steps_[start->task].followers;
      std::vector<std::size_t> again = next_pass(environments_[steps_[start->task].environment]);
      lock.unlock();
      insist([&] { ended_(start->task, again); });
      lock.lock();  // and checks itself whether there is room now, for one and then for others
    }
  }

  // The steps that begin another pass, if this was the last step of one.
  std::vector<std::size_t> next_pass(Environment& environment) {
    if (--environment.left > 0) return {};
    environment.left = environment.steps.size();
    if (!std::exchange(environment.repeats, false)) return {};
    for (std::size_t step : environment.steps) steps_[step].is_announced = false;
    dispatcher_.restart(steps_[environment.steps.front()].environment);
    awaited_ += environment.first.size();
    return environment.first;
  }

  const std::function<void(const Start&)> work_;
  const Ended ended_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Dispatcher dispatcher_;
  std::vector<Step> steps_;
  std::map<std::size_t, Environment> environments_;
  // Steps that are ready but not yet announced by the graph. No step starts until they are: one of them might
  // come first.
  std::size_t awaited_ = 0;
  bool is_over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

struct FlowExecutor::Graph {
  Graph(const std::vector<FlowStep>& steps, const std::vector<DispatchLimits>& machines)
      : gateways(steps.size()),
        threads(
            steps, machines,
            [this, &steps](const Dispatcher::Start& start) { work(steps[start.task], start.machine); },
            [this](std::size_t step, const std::vector<std::size_t>& again) { end(step, again); }) {}

  void work(const FlowStep& step, std::optional<std::size_t> machine) {
    try {
      step.work(machine);
    } catch (...) {  // an exception that leaves a node would cancel the whole graph, and with it other builds
      std::lock_guard lock(error_mutex);
      if (!error) error = std::current_exception();
    }
  }

  // The graph is not done before its last message.
  void end(std::size_t step, const std::vector<std::size_t>& again) {
    gateways[step]->try_put(continue_msg());
    for (std::size_t first : again) nodes[first]->try_put(continue_msg());
    gateways[step]->release_wait();
  }

  tbb::flow::graph graph;
  std::mutex error_mutex;
  std::exception_ptr error;
  // Declared before the threads: a thread may still be leaving a node when all is done.
  std::vector<std::unique_ptr<StepNode>> nodes;
  std::vector<StepNode::gateway_type*> gateways;
  WaitingThreads threads;
};

FlowExecutor::FlowExecutor(std::vector<FlowStep> steps, std::vector<DispatchLimits> machines)
    : steps_(std::move(steps)), graph_(std::make_unique<Graph>(steps_, machines)) {}

FlowExecutor::~FlowExecutor() = default;

void FlowExecutor::run() {
  Graph& all = *graph_;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    all.nodes.push_back(std::make_unique<StepNode>(all.graph, tbb::flow::unlimited,
                                                   [&all, i](continue_msg, StepNode::gateway_type& gateway) {
                                                     gateway.reserve_wait();
                                                     all.gateways[i] = &gateway;
                                                     if (!all.threads.add_ready(i)) gateway.release_wait();
                                                   }));
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i].task.after) tbb::flow::make_edge(*all.nodes[*steps_[i].task.after], *all.nodes[i]);
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (!steps_[i].task.after) all.nodes[i]->try_put(continue_msg());
  all.graph.wait_for_all();
  if (all.error) std::rethrow_exception(all.error);
}

void FlowExecutor::repeat(std::size_t environment) {
  graph_->threads.repeat(environment);
}

void FlowExecutor::lose(std::size_t machine) {
  graph_->threads.tell([&](Dispatcher& dispatcher) { dispatcher.lose(machine); });
}

void FlowExecutor::regain(std::size_t machine) {
  graph_->threads.tell([&](Dispatcher& dispatcher) { dispatcher.regain(machine); });
}

void FlowExecutor::give_up(std::size_t machine) {
  graph_->threads.tell([&](Dispatcher& dispatcher) { dispatcher.give_up(machine); });
}

void FlowExecutor::exclude(std::size_t environment, std::size_t machine) {
  graph_->threads.tell([&](Dispatcher& dispatcher) { dispatcher.exclude(environment, machine); });
}

void FlowExecutor::takes(std::size_t step, std::uint64_t memory) {
  graph_->threads.tell([&](Dispatcher& dispatcher) { dispatcher.takes(step, memory); });
}

FlowExecutor::MemoryUse FlowExecutor::memory() const {
  return graph_->threads.memory();
}

void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits) {
  FlowExecutor(steps, {limits}).run();
}

}  // namespace stagemake
