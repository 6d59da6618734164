// Runs steps in parallel through a TBB flow graph: a node per step, an edge per "comes after".
//
// It knows nothing of stages: a step is a number, what it does a function. Nodes hand their step to a pool of
// threads that may block in engine calls and return at once, so that TBB's own workers, as many as cores,
// never wait. A step that throws is an error of the program's: steps return what went wrong as data.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace stagemake {

struct FlowStep {
  std::optional<std::size_t> after;  // an earlier position in the list
  std::function<void()> work;        // called once, when `after` has returned
};

// Returns when all have run. At most `at_once` (at least 1) run at the same time.
void execute_flow(const std::vector<FlowStep>& steps, unsigned at_once);

}  // namespace stagemake
