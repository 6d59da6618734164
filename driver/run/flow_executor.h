// Runs steps in parallel through a TBB flow graph: a node per step, an edge per "comes after".
//
// It knows nothing of stages: a step is a task (plan/dispatch.h) and a function. The graph says what is
// ready, a Dispatcher which of that begins next. Nodes hand their step to a pool of threads that may block in
// engine calls and return at once, so that TBB's own workers, as many as cores, never wait. A step that
// throws is an error of the program's: steps return what went wrong as data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "plan/dispatch.h"

namespace stagemake {

struct FlowStep {
  Task task = {};
  std::function<void()> work;  // called once, when the step that it comes after has returned
};

class FlowExecutor {
 public:
  FlowExecutor(std::vector<FlowStep> steps, const DispatchLimits& limits);
  ~FlowExecutor();
  FlowExecutor(const FlowExecutor&) = delete;
  FlowExecutor& operator=(const FlowExecutor&) = delete;

  // Returns when all steps have run. Once.
  void run();

  // What the Dispatcher is told and asked, from any thread, also from steps: a step that runs takes more
  // memory than was thought; and whether, and how much being taken, steps wait for memory.
  void takes(std::size_t step, std::uint64_t memory);
  struct MemoryUse {
    bool lacks = false;      // steps wait for nothing else
    std::uint64_t used = 0;  // bytes, as it is thought
  };
  MemoryUse memory() const;

 private:
  struct Graph;
  const std::vector<FlowStep> steps_;
  const std::unique_ptr<Graph> graph_;
};

// Returns when all have run.
void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits);

}  // namespace stagemake
