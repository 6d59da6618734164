// The common part of commands that look at a tree without building: the tree, measured durations and plans.
// There is no engine, so facts that only images contain are unknown here.
#pragma once

#include "cli/tree.h"
#include "plan/stage_plan.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "schedule/predictions.h"

namespace stagemake {

// An environment's plan, as exact as the state folder allows, with the graph that it was made from.
struct InspectedPlan {
  StagePlan plan;
  std::shared_ptr<const DependencyGraph> graph;
};

struct Inspection {
  explicit Inspection(const Options& options);

  InspectedPlan plan_of(const Environment& environment);
  // The named environment; if none was named, the tree's own plan for any system.
  Environment environment(const Options& options) const;

  Tree tree;
  DependencyGraphs graphs;
  StateFolder state;
  SourceTree sources;
  JournalContents journal;
  Predictions predictions;
};

// The package with that name. Throws Error (BadInput) with similar names.
PackageId package_named(const PackageIndex& packages, const std::string& name);
// The same for a stage.
std::size_t stage_named(const StageTable& table, const std::string& name);

// Writes to --output, or to standard output.
void put_out(const Options& options, const std::string& text);

}  // namespace stagemake
