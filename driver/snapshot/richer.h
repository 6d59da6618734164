// Which of two unfinished images of a stage has more done. Pure.
#pragma once

#include "plan/stage_plan.h"
#include "snapshot/snapshot.h"
#include "tree/package_index.h"

namespace stagemake {

// Whether a build of the current tree would rather continue from `there` than from `ours`, both unfinished:
// more packages up to the stage of `ours` are ready in it, or equally many and it contains more stages. False
// if `there` is finished, belongs to another environment, or cannot be continued from.
bool is_richer(const StagePlan& plan, DependencyGraphs& graphs, const Snapshot& there, const Snapshot& ours);

}  // namespace stagemake
