// Which package needs which, and what GNU make therefore builds for a target.
//
// The graph is that of the configured makefile: what configure would write (m4/sage_spkg_collect.m4) and what
// the rules of build/make/Makefile.in make of it. It knows neither stages nor what is installed where; what
// the system provides and which optional packages are wanted come in as options, because only configure knows
// them for sure. Immutable; safe to share between threads. The PackageIndex must outlive it.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "plan/dependency_words.h"
#include "plan/make_targets.h"
#include "plan/make_variables.h"
#include "plan/package_index.h"

namespace stagemake {

// The packages whose tests run when they are built. Their check dependencies are prerequisites then. Never
// those of source type pip, which make does not test.
struct Checks {
  bool all = false;
  std::set<std::string> except = {};
};

// What SAGE_CHECK=VALUE (no, warn, yes) means in that tree.
Checks checks_of(const PackageIndex& packages, const MakeVariables& variables, std::string_view sage_check);

struct GraphOptions {
  std::set<std::string> dummies = {};  // taken from the system: not built. Empty: nothing is, an upper bound
  std::set<std::string> installed = {};  // packages that count as installed, besides the standard ones
  Checks checks = {};
};

class DependencyGraph {
 public:
  // Throws one Error (BadInput) for unknown names in the options; with `faults`, adds them there, and
  // faults(), too.
  DependencyGraph(const PackageIndex& packages, const MakeVariables& variables, const GraphOptions& options,
                  Faults* faults = nullptr);

  // What is wrong in dependency lines: words that mean nothing. make stops at them only where it builds their
  // owner.
  const std::vector<Fault>& faults() const { return faults_; }
  // The faults of some packages: these, and those of their other files.
  std::vector<Fault> faults_of(const std::vector<PackageId>& packages) const;
  // Packages that need each other. They can be built: make passes over the edge that closes a circle, and so
  // does build_order().
  const std::vector<Fault>& circles() const { return circles_; }

  // What GNU make builds for the targets from an empty tree, in the order of `make -j1`: every package after
  // its dependencies, order-only ones too. Targets are those of the tree's makefiles (plan/make_targets.h)
  // and packages. An unknown one: Error (BadInput) with suggestions.
  std::vector<PackageId> build_order(const std::vector<std::string>& targets) const;

  // What a target asks for itself, without what that needs (of NAME-deps and the like: what NAME needs
  // directly). Nothing for an unknown target.
  std::vector<PackageId> asked_by(const std::string& target) const;

  // Targets of the makefiles, then the packages.
  std::vector<std::string> known_targets() const;

  // Direct dependencies, without those taken from the system. A rebuild of a normal one rebuilds the package,
  // that of an order-only one does not. None is in both. Without the edges that close circles.
  std::span<const PackageId> normal_dependencies(PackageId id) const;
  std::span<const PackageId> order_only_dependencies(PackageId id) const;

  // Normal ones that are taken from the system.
  std::vector<PackageId> taken_dependencies(PackageId id) const;
  // All packages, each after what it depends on.
  const std::vector<PackageId>& dependencies_first() const { return topological_; }

  // Packages that a rebuild of `changed` rebuilds, installed or not: the transitive users over normal
  // dependencies, without `changed` itself, in build order.
  std::vector<PackageId> rebuilt_with(const std::vector<PackageId>& changed) const;

  bool is_dummy(PackageId id) const { return dummy_[id]; }
  bool is_installed(PackageId id) const { return installed_[id]; }
  // Made whenever make passes by (`FORCE`).
  bool is_forced(PackageId id) const { return forced_[id]; }

 private:
  struct Rule {
    std::uint32_t begin = 0;       // of its normal dependencies in edges_
    std::uint32_t order_only = 0;  // where they end and the order-only ones begin
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
  std::vector<bool> build_edges_;                             // of edges_: it is one of NAME-build-deps
  std::vector<std::pair<PackageId, PackageId>> taken_edges_;  // normal ones to what the system has; by user
  std::vector<std::uint32_t> last_edge_;                      // while reading: 1 + the last edge to a package
  std::vector<Rule>
      acyclic_rules_;  // the same without the edges that close circles; empty where there are none
  std::vector<PackageId> acyclic_edges_;
  std::vector<Fault> faults_, circles_;
  std::vector<PackageId> topological_;  // all packages, dependencies first
  std::optional<MakeTargets> targets_;
};

}  // namespace stagemake
