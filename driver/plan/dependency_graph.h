// Dependencies between packages, and the packages that GNU make therefore builds for a target.
//
// The graph is that of the configured makefile: the lists that configure would write
// (m4/sage_spkg_collect.m4), interpreted by the rules of build/make/Makefile.in. It knows neither stages nor
// installed packages; the packages that the system provides and the optional packages that are wanted are
// options, because only configure knows them for sure. Immutable; safe to share between threads. The
// PackageIndex must outlive it.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "tree/dependency_words.h"
#include "tree/make_targets.h"
#include "tree/make_variables.h"
#include "tree/package_index.h"

namespace stagemake {

// The packages whose tests run when they are built, so that their check dependencies are prerequisites. Never
// packages of source type pip, which make does not test.
struct Checks {
  bool all = false;
  std::set<std::string> except = {};

  auto operator<=>(const Checks&) const = default;
};

// The meaning of SAGE_CHECK=VALUE (no, warn, yes) in that tree.
Checks checks_of(const PackageIndex& packages, const MakeVariables& variables, std::string_view sage_check);

struct GraphOptions {
  std::set<std::string> dummies = {};    // provided by the system, so not built. Empty: none, an upper bound
  std::set<std::string> installed = {};  // packages that count as installed, besides the standard ones
  Checks checks = {};

  auto operator<=>(const GraphOptions&) const = default;
};

class DependencyGraph {
 public:
  // Throws one Error (BadInput) for unknown names in the options; with `faults`, adds them there, together
  // with faults().
  DependencyGraph(const PackageIndex& packages, const MakeVariables& variables, const GraphOptions& options,
                  Faults* faults = nullptr);

  // Faults of dependency lines: unknown words. make fails at them only if it builds the package.
  const std::vector<Fault>& faults() const { return faults_; }
  // The faults of some packages, including those of their other files.
  std::vector<Fault> faults_of(const std::vector<PackageId>& packages) const;
  // Dependency cycles. Their packages can be built: make ignores the edge that closes a cycle, and so does
  // build_order().
  const std::vector<Fault>& circles() const { return circles_; }

  // The packages that GNU make builds for the targets from an empty tree, in the order of `make -j1`: every
  // package after its dependencies, including order-only ones. Targets are those of the tree's makefiles
  // (tree/make_targets.h) and packages. An unknown target: Error (BadInput) with suggestions.
  std::vector<PackageId> build_order(const std::vector<std::string>& targets) const;

  // The packages that a target names itself, without their dependencies (for NAME-deps and similar: the
  // direct dependencies of NAME). Empty for an unknown target.
  std::vector<PackageId> asked_by(const std::string& target) const;

  // Targets of the makefiles, then the packages.
  std::vector<std::string> known_targets() const;

  // Direct dependencies, without those that the system provides. Rebuilding a normal dependency rebuilds the
  // package, rebuilding an order-only one does not. No package is in both lists. Edges that close cycles are
  // left out.
  std::span<const PackageId> normal_dependencies(PackageId id) const;
  std::span<const PackageId> order_only_dependencies(PackageId id) const;

  // Normal dependencies that the system provides.
  std::vector<PackageId> taken_dependencies(PackageId id) const;
  // All packages, each after its dependencies.
  const std::vector<PackageId>& dependencies_first() const { return topological_; }

  // Packages that a rebuild of `changed` rebuilds, installed or not: the transitive dependents over normal
  // dependencies, without `changed` itself, in build order.
  std::vector<PackageId> rebuilt_with(const std::vector<PackageId>& changed) const;

  bool is_dummy(PackageId id) const { return dummy_[id]; }
  bool is_installed(PackageId id) const { return installed_[id]; }
  // Remade by every make (`FORCE`).
  bool is_forced(PackageId id) const { return forced_[id]; }

 private:
  struct Rule {
    std::uint32_t begin = 0;       // start of its normal dependencies in edges_
    std::uint32_t order_only = 0;  // end of those and start of the order-only ones
    std::uint32_t end = 0;
  };
  class Walk;

  std::vector<bool> marked(const std::set<std::string>& names, std::string_view option, Faults& faults) const;
  std::vector<bool> checked(const Checks& checks) const;
  void add_rules(DependencyWords& words, const std::vector<bool>& checked);
  void add_edges(const std::vector<Reference>& references, bool build, std::uint32_t begin);
  TargetLists target_lists(const MakeVariables& variables, DependencyWords& words) const;
  std::vector<PackageId> built(const std::vector<Reference>& references) const;
  std::vector<PackageId> installed_in(std::string_view tree) const;
  void sort_topologically();
  void add_circle(std::vector<PackageId> circle);
  void drop_edges(const std::set<std::pair<PackageId, PackageId>>& dropped);
  bool skipped(Reference reference) const { return dummy_[reference.id] && !reference.by_stamp; }

  const PackageIndex& packages_;
  std::vector<bool> dummy_, installed_, forced_;
  std::vector<Rule> rules_;
  std::vector<PackageId> edges_;
  std::vector<bool> build_edges_;                             // for edges_: part of NAME-build-deps
  std::vector<std::pair<PackageId, PackageId>> taken_edges_;  // (user, package of the system), normal ones;
                                                              // by user
  std::vector<std::uint32_t> last_edge_;                      // while reading: 1 + the last edge to a package
  std::vector<Rule> acyclic_rules_;  // without the edges that close cycles; empty if there are none
  std::vector<PackageId> acyclic_edges_;
  std::vector<Fault> faults_, circles_;
  std::vector<PackageId> topological_;  // all packages, dependencies first
  std::optional<MakeTargets> targets_;
};

}  // namespace stagemake
