// Runs steps in parallel through a TBB flow graph: a node per step, an edge per "comes after".
//
// It knows nothing of stages: a step is a task (plan/dispatch.h) and a function. The graph says what is
// ready, a Dispatcher which of that begins next. Nodes hand their step to a pool of threads that may block in
// engine calls and return at once, so that TBB's own workers, as many as cores, never wait. A step that
// throws is an error of the program's: steps return what went wrong as data.
#pragma once

#include <functional>
#include <vector>

#include "plan/dispatch.h"

namespace stagemake {

struct FlowStep {
  Task task = {};
  std::function<void()> work;  // called once, when the step that it comes after has returned
};

// Returns when all have run.
void execute_flow(const std::vector<FlowStep>& steps, const DispatchLimits& limits);

}  // namespace stagemake
