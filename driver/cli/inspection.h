// What the commands that look at a tree without building have in common: the tree, what was learned of it,
// and plans. No engine: what only images know is not known here.
#pragma once

#include "cli/tree.h"
#include "plan/predictions.h"
#include "plan/stage_plan.h"
#include "run/journal.h"
#include "run/state_folder.h"

namespace stagemake {

// An environment's plan, as exact as the state folder knows it, with the graph that it was made from.
struct InspectedPlan {
  StagePlan plan;
  DependencyGraph graph;
};

struct Inspection {
  explicit Inspection(const Options& options);

  InspectedPlan plan_of(const Environment& environment);
  // The environment that was named; the tree's own plan, whatever the system, where none was.
  Environment environment(const Options& options) const;

  Tree tree;
  StateFolder state;
  SourceTree sources;
  JournalContents journal;
  Predictions predictions;
};

// The package of that name. Throws Error (BadInput) with what else may be meant.
PackageId package_named(const PackageIndex& packages, const std::string& name);
// The stage of that name; the same.
std::size_t stage_named(const StageTable& table, const std::string& name);

// Writes to --output, or prints.
void put_out(const Options& options, const std::string& text);

}  // namespace stagemake
