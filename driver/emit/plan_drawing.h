// Plans as drawings: the stages of environments, the packages of a stage, what hangs on a package. What
// things take comes in with the question; nothing is looked up.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "emit/drawing.h"
#include "plan/dependency_paths.h"
#include "plan/stage_plan.h"

namespace stagemake {

// What things take in one environment, in seconds, as far as it was learned.
struct LearnedSeconds {
  std::function<std::optional<double>(PackageId)> package;
  // A stage that makes no packages; nothing where it never ran.
  std::function<std::optional<double>(const std::string& stage)> stage;
};

struct DrawnPlan {
  const StagePlan& plan;
  const DependencyGraph& graph;  // of the plan
  const PackageIndex& packages;
  LearnedSeconds seconds;
};

// A tree per environment, from the base image on.
Drawing stages_drawing(const std::vector<DrawnPlan>& plans);

// The packages that a stage adds, and what of their needs lies among them.
Drawing packages_drawing(const DrawnPlan& drawn, std::size_t stage);

// A package, all that comes before it, and all of the plan's packages that it comes before.
Drawing package_drawing(const DrawnPlan& drawn, PackageId package);

}  // namespace stagemake
