// What a change of the sources makes to be built again: two trees compared, before anything is built. Pure.
//
// What an environment's build would do is not guessed here: decide() is asked what it would do if all images
// of the tree before were there and nothing else.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/restore.h"

namespace stagemake {

struct PackageChange {
  enum class Kind {
    New,
    Gone,
    Version,
    Files,   // what a build depends on, with the version as it was
    Beside,  // nothing that a build depends on: descriptions, lists of system packages, the test of the
             // system's copy
  } kind = Kind::Files;
  std::string name;
  std::string before = {}, after = {};  // versions
  std::vector<std::string> files = {};  // below build/pkgs/NAME, that differ

  // "zlib 1.2 -> 1.3", "zlib (new, 1.3)", "zlib (spkg-install.in)".
  std::string text() const;
};

// Sorted by name.
std::vector<PackageChange> package_changes(const PackageIndex& before, SourceTree& sources_before,
                                           const PackageIndex& after, SourceTree& sources_after);

// One environment in one of the trees.
struct DiffSide {
  const StagePlan& plan;
  const PackageIndex& packages;
  const MakeVariables& variables;
};

// The images of a tree's environment that was built from the base image on, one of each stage. Their names
// are the stages'.
std::vector<Snapshot> finished_images(const DiffSide& side);

// A stage that runs again. Neither paths nor reasons: because a stage before it does.
struct RerunStage {
  std::string name;
  std::vector<std::string> paths;    // that it adds, with other files in them: the same in all environments
  std::vector<std::string> reasons;  // others, in words

  auto operator<=>(const RerunStage&) const = default;
};

struct PlanDiff {
  std::vector<RerunStage> stages;
  std::vector<std::string> packages;  // that are built again, or for the first time; sorted
  std::vector<std::string> removed;   // that were there and go; sorted
  // The stage in whose image that begins; empty: the base image. No matter where nothing runs again.
  std::string begins_in;
  bool is_whole = false;  // no image goes on being used in which packages are: all of them are built again
  double seconds = 0;     // predicted

  bool is_empty() const { return stages.empty(); }
  // Two environments of which the same can be said.
  bool same_as(const PlanDiff& other) const;
};

// `targets`: stages of `after` up to which it is built.
PlanDiff plan_diff(const DiffSide& before, const DiffSide& after, const std::vector<std::size_t>& targets,
                   const Costs& costs);

}  // namespace stagemake
