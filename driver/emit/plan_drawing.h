// Plans as drawings: the stages of environments, the packages of a stage, the dependents of a package. The
// caller provides durations; nothing is looked up.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "emit/drawing.h"
#include "plan/dependency_paths.h"
#include "plan/stage_plan.h"

namespace stagemake {

// Measured durations in one environment, in seconds.
struct LearnedSeconds {
  std::function<std::optional<double>(PackageId)> package;
  // For stages that make no packages; nothing if the stage never ran.
  std::function<std::optional<double>(const std::string& stage)> stage;
};

struct DrawnPlan {
  const StagePlan& plan;
  const DependencyGraph& graph;  // of the plan
  const PackageIndex& packages;
  LearnedSeconds seconds;
};

// One tree per environment, beginning with the base image.
Drawing stages_drawing(const std::vector<DrawnPlan>& plans);

// The packages that a stage adds, and the dependencies among them.
Drawing packages_drawing(const DrawnPlan& drawn, std::size_t stage);

// A package, all its dependencies, and all of the plan's packages that depend on it.
Drawing package_drawing(const DrawnPlan& drawn, PackageId package);

}  // namespace stagemake
