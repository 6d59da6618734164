// Which of two unfinished images of a stage holds more. Pure.
#pragma once

#include "plan/package_index.h"
#include "plan/snapshot.h"
#include "plan/stage_plan.h"

namespace stagemake {

class MakeVariables;

// Whether a build of the tree as it is would rather continue from `there` than from `ours`, both unfinished:
// more of the packages up to the stage of `ours` are ready in it, or as many and it holds more stages. False
// where `there` is finished, is of another environment, or cannot be continued from.
bool is_richer(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
               const Snapshot& there, const Snapshot& ours);

}  // namespace stagemake
