// Runs steps in parallel through a TBB flow graph: a node per step, an edge per "comes after".
//
// It knows nothing of stages: a step is a task (schedule/dispatch.h) and a function. The graph says which
// steps are ready; a Dispatcher says which of them starts next, and on which machine. Nodes hand their steps
// to a pool of threads that may block in engine calls, and return at once, so that TBB's own workers, one per
// core, never wait. A step that throws is a programming error: steps return failures as data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "schedule/dispatch.h"

namespace stagemake {

struct FlowStep {
  Task task = {};
  // Called after the step that it follows has returned; once, but for repeat(). `machine`: where to work;
  // nothing if no machine is left for it.
  std::function<void(std::optional<std::size_t> machine)> work;
};

class FlowExecutor {
 public:
  // `machines`: at least one.
  FlowExecutor(std::vector<FlowStep> steps, std::vector<DispatchLimits> machines);
  ~FlowExecutor();
  FlowExecutor(const FlowExecutor&) = delete;
  FlowExecutor& operator=(const FlowExecutor&) = delete;

  // Returns when all steps have run. Call it once.
  void run();

  // When all steps of this environment (Task::environment) have returned, they run once more, on any machine.
  // Called from one of these steps. Steps of other environments that follow them do not run again.
  void repeat(std::size_t environment);
  // The same as for the Dispatcher, from any thread.
  void lose(std::size_t machine);
  void regain(std::size_t machine);
  void give_up(std::size_t machine);
  void exclude(std::size_t environment, std::size_t machine);

  // Messages and questions to the Dispatcher, from any thread, also from steps: a running step uses more
  // memory than predicted; whether steps wait for memory, and how much is in use.
  void takes(std::size_t step, std::uint64_t memory);
  struct MemoryUse {
    bool lacks = false;      // steps wait for nothing else
    std::uint64_t used = 0;  // bytes, as estimated
  };
  MemoryUse memory() const;

 private:
  struct Graph;
  const std::vector<FlowStep> steps_;
  const std::unique_ptr<Graph> graph_;
};

// Returns when all steps have run on one machine.
void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits);

}  // namespace stagemake
