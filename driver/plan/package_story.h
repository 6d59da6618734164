// What can be said of one package in one environment's plan: which stage builds it and because of what, who
// needs it, what it waits for. Pure; what was measured comes in as a function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/dependency_paths.h"
#include "plan/stage_plan.h"

namespace stagemake {

// A make target of a stage, and the packages through which it asks for one: each needs the next, the last is
// that one. One package: the target asks for it itself.
struct TargetChain {
  std::string stage;
  std::string target;
  std::vector<PackageId> packages;
};

struct PackageUsers {
  std::vector<PackageId> planned;  // that this plan builds
  std::vector<PackageId> others;   // that it does not

  std::size_t size() const { return planned.size() + others.size(); }
};

struct PackageStory {
  PackageId package = 0;
  std::optional<std::size_t> stage;  // of the plan, that builds it; nothing: none does
  bool by_default = false;           // that stage is one of those up to the table's default one
  std::size_t place = 0, of = 0;     // in that stage's order, from 1
  std::string why_not;               // a sentence; empty where it is built
  bool from_system = false;          // configure takes it from there
  std::vector<TargetChain>
      chains;  // the shortest; where that is the target alone, also the shortest through others
  // Needed to build it; only before it is built; only for its own tests, where they are run.
  PackageUsers users, order_only_users, test_users;
  std::size_t all_planned_users = 0;  // of the plan, directly or not
  std::vector<PackageId> needs, order_only_needs, test_needs;
  std::vector<PackageId> taken;   // needs that the system has
  std::vector<PackageId> before;  // all that must be built before it
  LongestWay way;                 // the longest to it, with itself
};

// `graph` is that of the plan (graph_options with plan.configured).
PackageStory story_of(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
                      const DependencyGraph& graph, PackageId package, const PackageSeconds& seconds);

}  // namespace stagemake
