// Ways through a dependency graph: who needs a package, what it waits for, along which packages, and how long
// the longest way is. Pure; the graph must outlive what refers to it.
//
// Order-only dependencies count as dependencies here wherever it is about waiting: make builds them before,
// too.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plan/dependency_graph.h"

namespace stagemake {

// The edges of a graph, the other way round.
class DependencyUsers {
 public:
  explicit DependencyUsers(const DependencyGraph& graph);

  // Packages that need this one directly, sorted.
  const std::vector<PackageId>& normal(PackageId id) const { return normal_[id]; }
  const std::vector<PackageId>& order_only(PackageId id) const { return order_only_[id]; }

  // All that cannot be built before it, without itself, each after what it needs.
  std::vector<PackageId> all(PackageId id) const;

 private:
  const DependencyGraph& graph_;
  std::vector<std::vector<PackageId>> normal_, order_only_;
};

// All that must be built before a package, without itself, each after what it needs.
std::vector<PackageId> needed_before(const DependencyGraph& graph, PackageId id);

// The fewest packages from one of `from` to `to`, each needing the next one; both ends are in it, and they
// may be the same. Of several such ways one through normal dependencies, if there is one. Empty: none leads
// there.
std::vector<PackageId> shortest_chain(const DependencyGraph& graph, const std::vector<PackageId>& from,
                                      PackageId to);

using PackageSeconds = std::function<double(PackageId)>;

struct LongestWay {
  std::vector<PackageId> packages;  // each needs the one before
  double seconds = 0;
};
// Of all ways within `among` the one that takes longest; of equals the one with more packages. Empty where
// `among` is.
LongestWay longest_way(const DependencyGraph& graph, const std::vector<PackageId>& among,
                       const PackageSeconds& seconds);

// A package and one that it needs.
struct Need {
  PackageId package;
  PackageId needed;
  bool order_only = false;

  auto operator<=>(const Need&) const = default;
};
// The direct needs within `among` that do not follow from the others, sorted: what follows from a longer way
// within `among` is left out, so that a drawing of the rest can be read and still tells all.
std::vector<Need> reduced_needs(const DependencyGraph& graph, const std::vector<PackageId>& among);

}  // namespace stagemake
