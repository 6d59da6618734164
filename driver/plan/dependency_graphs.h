// What the plans of a tree's environments share, so that it is computed once: dependency graphs, one for all
// environments with the same options, and the fingerprints of packages.
//
// Thread rule: all calls from any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "environment/environment.h"
#include "plan/configured_packages.h"
#include "plan/dependency_graph.h"
#include "tree/source_tree.h"

namespace stagemake {

// The graph's options for an environment: the packages whose tests its SAGE_CHECK and SAGE_CHECK_PACKAGES
// run, and what configure decided. Without its decisions, the graph is an upper bound.
GraphOptions graph_options(const Environment& environment, const PackageIndex& packages,
                           const MakeVariables& variables,
                           const std::optional<ConfiguredPackages>& configured = {});

class DependencyGraphs {
 public:
  // Both must outlive it and its graphs.
  DependencyGraphs(const PackageIndex& packages, const MakeVariables& variables)
      : packages_(packages), variables_(variables) {}

  const PackageIndex& packages() const { return packages_; }

  // Never null.
  std::shared_ptr<const DependencyGraph> of(const Environment& environment,
                                            const std::optional<ConfiguredPackages>& configured = {});

  // package_fingerprints() of the tree, by PackageId. `sources` must be the same each time.
  std::shared_ptr<const std::vector<std::string>> fingerprints(SourceTree& sources);

 private:
  const PackageIndex& packages_;
  const MakeVariables& variables_;
  std::mutex mutex_;
  std::map<GraphOptions, std::shared_ptr<const DependencyGraph>> graphs_;
  std::shared_ptr<const std::vector<std::string>> fingerprints_;
};

}  // namespace stagemake
