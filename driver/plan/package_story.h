// Facts about one package in one environment's plan: the stage that builds it and the reason, its dependents,
// its dependencies. Pure; measurements are passed as a function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/dependency_paths.h"
#include "plan/stage_plan.h"

namespace stagemake {

// A make target of a stage, and the chain from the target to a package: each depends on the next, the last is
// that package. One package: the target names it directly.
struct TargetChain {
  std::string stage;
  std::string target;
  std::vector<PackageId> packages;
};

struct PackageUsers {
  std::vector<PackageId> planned;  // built by this plan
  std::vector<PackageId> others;   // not built by it

  std::size_t size() const { return planned.size() + others.size(); }
};

struct PackageStory {
  PackageId package = 0;
  std::optional<std::size_t> stage;  // of the plan, that builds it; nullopt: none does
  bool by_default = false;           // that stage is at or before the table's default stage
  std::size_t place = 0, of = 0;     // position and number of packages in that stage's order, from 1
  std::string why_not;               // a sentence; empty if it is built
  bool from_system = false;          // configure uses the system's copy
  std::vector<TargetChain>
      chains;  // the shortest; if that is the target alone, also the shortest through other packages
  // Needed to build it; needed before it is built; needed only for its own tests, if they run.
  PackageUsers users, order_only_users, test_users;
  std::size_t all_planned_users = 0;  // of the plan, direct or indirect
  std::vector<PackageId> needs, order_only_needs, test_needs;
  std::vector<PackageId> taken;   // dependencies that the system provides
  std::vector<PackageId> before;  // all packages that must be built before it
  LongestWay way;                 // the longest path to it, including itself
};

// `graph` is the graph of the plan (graph_options with plan.configured).
PackageStory story_of(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
                      const DependencyGraph& graph, PackageId package, const PackageSeconds& seconds);

}  // namespace stagemake
