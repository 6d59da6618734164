// Decides from which image each stage continues, and why. Pure: a plan and the existing snapshots, local and
// in registries, go in, and one decision per stage comes out; `build`, `--dry-run` and `explain` all use the
// same decisions.
//
// A stage is reused if an image has its key. The first stage of a chain without such an image is built,
// together with all following ones; it starts from the candidate that needs the least time to fetch and to
// complete (snapshot/candidate.h):
//   - the image of its parent, as in a clean build;
//   - what an unfinished run with the same key left;
//   - an older image of the environment, of this or a later stage, finished or not, with the same system,
//     base image and configuration, but other sources: they are synced, stale packages are uninstalled, and
//     make continues from its stamps. If it was bootstrapped or configured from other sources, these stages
//     run again in it, even if other images have them.
// A stage that is to be built again starts from the image of its parent, and the stages after it follow.
//
// Images in registries are used if this is faster overall than using only local ones.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "snapshot/candidate.h"

namespace stagemake {

// An input of a stage's key that has changed since an older image.
struct InputChange {
  std::string input;
  std::string before;  // empty: it did not exist
  std::string after;   // empty: it no longer exists
};

struct StageDecision {
  enum class Action { NotWanted, Reuse, Build } action = Action::NotWanted;
  // Reuse: an image that contains the stage, its own if there is one. An image in a registry is fetched only
  // if the stage was requested.
  SnapshotPtr image = {};
  // Build: the starting point, for the first stage of its chain to be built; a later one continues from its
  // parent.
  std::optional<Candidate> start;
  // All candidates of the environment for `start`, best first, then those that may not be used.
  std::vector<Candidate> candidates;
  bool commit = false;  // Build: keep an image of it (also if it fails)
  // Build: an image of the environment that contains the stage with another key, and the differences: the
  // image in which the build starts, if that contains the stage, else the newest. Null in a fresh build.
  SnapshotPtr older = {};
  std::vector<InputChange> changes;
  // Build: the newest image that contains the stage with exactly this key, and why it is not used; null:
  // there is none, or the stages start from it.
  SnapshotPtr unused = {};
  std::string unused_why;
  // Build: the stage that RestoreOptions::rebuild names, if it is this one or one before it.
  std::optional<std::size_t> rebuilt;
};

// One decision per stage of the plan, in its order.
std::vector<StageDecision> decide(const StagePlan& plan, DependencyGraphs& graphs,
                                  const SnapshotList& snapshots, const RestoreOptions& options);

// Predicted seconds until everything is built: fetching, stages, and packages one after the other.
double predicted_seconds(const std::vector<StageDecision>& decisions, const RestoreOptions& options);

// Determines which of a snapshot's packages are stale, removed or unwanted in the plan's tree.
void judge_packages(const StagePlan& plan, DependencyGraphs& graphs, const RestoreOptions& options,
                    const Snapshot& snapshot, Candidate& candidate);

}  // namespace stagemake
