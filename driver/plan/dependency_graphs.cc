#include "plan/dependency_graphs.h"

#include "base/text/text.h"
#include "plan/package_fingerprints.h"

namespace stagemake {
namespace {

// Labels of images, which anybody can write, say what configure decided: they must not fill the memory.
constexpr std::size_t kMostKept = 256;

}  // namespace

GraphOptions graph_options(const Environment& environment, const PackageIndex& packages,
                           const MakeVariables& variables,
                           const std::optional<ConfiguredPackages>& configured) {
  GraphOptions options;
  if (configured) {
    // Names that are no longer packages of this tree are ignored.
    for (const std::string& name : configured->dummies)
      if (packages.find(name)) options.dummies.insert(name);
    for (const std::string& name : configured->installed)
      if (packages.find(name)) options.installed.insert(name);
  }
  options.checks = checks_of(packages, variables, environment.value("SAGE_CHECK"));
  if (const std::string& clauses = environment.value("SAGE_CHECK_PACKAGES"); !clauses.empty()) {
    options.checks.except.clear();
    for (std::string_view clause : split(clauses, ','))
      if (clause.starts_with('!')) options.checks.except.emplace(clause.substr(1));
  }
  return options;
}

std::shared_ptr<const DependencyGraph> DependencyGraphs::of(
    const Environment& environment, const std::optional<ConfiguredPackages>& configured) {
  GraphOptions options = graph_options(environment, packages_, variables_, configured);
  std::lock_guard lock(mutex_);
  if (auto found = graphs_.find(options); found != graphs_.end()) return found->second;
  if (graphs_.size() == kMostKept) graphs_.clear();  // their users keep theirs
  auto graph = std::make_shared<const DependencyGraph>(packages_, variables_, options);
  return graphs_.emplace(std::move(options), std::move(graph)).first->second;
}

std::shared_ptr<const std::vector<std::string>> DependencyGraphs::fingerprints(SourceTree& sources) {
  std::lock_guard lock(mutex_);
  if (fingerprints_) return fingerprints_;
  std::map<std::string, std::string> by_name = package_fingerprints(sources.below("build/pkgs"));
  auto by_id = std::make_shared<std::vector<std::string>>();
  for (const Package& package : packages_) by_id->push_back(by_name[package.name]);
  return fingerprints_ = std::move(by_id);
}

}  // namespace stagemake
