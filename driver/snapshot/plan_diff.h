// What a change of the sources rebuilds: compares two trees before anything is built. Pure.
//
// The answer comes from decide(), as if all images of the old tree existed and no others.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/text/text.h"
#include "snapshot/restore.h"

namespace stagemake {

struct PackageChange {
  enum class Kind {
    New,
    Gone,
    Version,
    Files,   // files that affect a build, with the same version
    Beside,  // only files that do not affect a build: descriptions, lists of system packages, the test of the
             // system's copy
  } kind = Kind::Files;
  std::string name;
  std::string before = {}, after = {};  // versions
  std::vector<std::string> files = {};  // changed files below build/pkgs/NAME

  // "zlib 1.2 -> 1.3", "zlib (new, 1.3)", "zlib (spkg-install.in)".
  std::string text(const Listing& listing = {}) const;
};

// Sorted by name.
std::vector<PackageChange> package_changes(const PackageIndex& before, SourceTree& sources_before,
                                           const PackageIndex& after, SourceTree& sources_after);

// One environment in one of the trees.
struct DiffSide {
  const StagePlan& plan;
  DependencyGraphs& graphs;

  const PackageIndex& packages() const { return graphs.packages(); }
};

// The images that a clean build of a tree's environment would leave, one per stage, named like the stages.
SnapshotList finished_images(const DiffSide& side);

// A stage that runs again. If it has neither paths nor reasons, a stage before it runs again.
struct RerunStage {
  std::string name;
  std::vector<std::string> paths;    // changed paths that it adds: the same in all environments
  std::vector<std::string> reasons;  // other reasons, in words

  auto operator<=>(const RerunStage&) const = default;
};

struct PlanDiff {
  std::vector<RerunStage> stages;
  std::vector<std::string> packages;  // built again, or for the first time; sorted
  std::vector<std::string> removed;   // were there and are removed; sorted
  // The stage whose image is the starting point; empty: the base image. Meaningless if nothing runs again.
  std::string begins_in;
  bool is_whole = false;  // no image with packages remains in use: all packages are rebuilt
  double seconds = 0;     // predicted

  bool is_empty() const { return stages.empty(); }
  // Whether the same text describes both environments.
  bool same_as(const PlanDiff& other) const;
};

// `targets`: stages of `after` to build up to. `listing`: for lists in reasons.
PlanDiff plan_diff(const DiffSide& before, const DiffSide& after, const std::vector<std::size_t>& targets,
                   const Costs& costs, const Listing& listing = {});

}  // namespace stagemake
