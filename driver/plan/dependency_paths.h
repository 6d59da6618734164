// Paths through a dependency graph: the dependents of a package, its dependencies, the chain between two
// packages, and the longest path. Pure; the graph must outlive objects that refer to it.
//
// For waiting, order-only dependencies count as dependencies, because make builds them first, too.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plan/dependency_graph.h"

namespace stagemake {

// The edges of a graph, reversed.
class DependencyUsers {
 public:
  explicit DependencyUsers(const DependencyGraph& graph);

  // Packages that depend on this one directly, sorted.
  const std::vector<PackageId>& normal(PackageId id) const { return normal_[id]; }
  const std::vector<PackageId>& order_only(PackageId id) const { return order_only_[id]; }

  // All packages that cannot be built before it, without itself, each after its dependencies.
  std::vector<PackageId> all(PackageId id) const;

 private:
  const DependencyGraph& graph_;
  std::vector<std::vector<PackageId>> normal_, order_only_;
};

// All packages that must be built before a package, without itself, each after its dependencies.
std::vector<PackageId> needed_before(const DependencyGraph& graph, PackageId id);

// The shortest chain from one of `from` to `to`, in which each package depends on the next one; it includes
// both ends, which may be the same package. Of equally short chains, one through normal dependencies is
// preferred. Empty: there is none.
std::vector<PackageId> shortest_chain(const DependencyGraph& graph, const std::vector<PackageId>& from,
                                      PackageId to);

using PackageSeconds = std::function<double(PackageId)>;

struct LongestWay {
  std::vector<PackageId> packages;  // each depends on the one before
  double seconds = 0;
};
// The path within `among` that takes longest; of equally long ones, the one with more packages. Empty if
// `among` is.
LongestWay longest_way(const DependencyGraph& graph, const std::vector<PackageId>& among,
                       const PackageSeconds& seconds);

// A package and one of its dependencies.
struct Need {
  PackageId package;
  PackageId needed;
  bool order_only = false;

  auto operator<=>(const Need&) const = default;
};
// The direct dependencies within `among` that do not follow from the others, sorted: an edge is left out if a
// longer path within `among` implies it, so that a drawing stays readable and complete.
std::vector<Need> reduced_needs(const DependencyGraph& graph, const std::vector<PackageId>& among);

}  // namespace stagemake
