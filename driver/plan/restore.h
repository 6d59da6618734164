// From which image each stage goes on: the decision, and its reasons. Pure: a plan and the snapshots that
// exist go in, one decision per stage comes out; `build`, `--dry-run` and `explain` all show or follow the
// same decisions.
//
// A stage whose key an image holds is reused. The first stage of a chain whose key none holds is built, and
// with it all that follow; it starts from the image in which most of the wanted packages are ready:
//   - its parent's image: the clean way;
//   - what is left of an unfinished run with the same key;
//   - an older image of the environment, of this or a later stage, finished or not, whose system, base image
//   and
//     configuration are the same and whose sources are other: they are synced, stale packages uninstalled,
//     and make goes on from its stamps.
// A package is ready in an image if it is installed there in the version and from the files that the tree has
// now, and nothing on which it depends has to be built again.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/dependency_graph.h"
#include "plan/snapshot.h"
#include "plan/stage_plan.h"

namespace stagemake {

struct Candidate {
  enum class Kind { Parent, Unfinished, Older } kind = Kind::Parent;
  const Snapshot* snapshot = nullptr;  // null: the base image
  std::size_t ready = 0;               // wanted packages that need no building
  std::vector<PackageId>
      to_build;  // the other wanted ones, sorted; an upper bound: configure may find some on the system
  std::vector<std::string> stale;    // installed, other files, same version: to be uninstalled
  std::vector<std::string> removed;  // installed, and no more in the tree
};

// An input of a stage's key that is other than it was in an older image.
struct InputChange {
  std::string input;
  std::string before;  // empty: it was not there
  std::string after;   // empty: it is no more
};

struct StageDecision {
  enum class Action { NotWanted, Reuse, Build } action = Action::NotWanted;
  // Reuse: an image that holds the stage, its own if there is one.
  const Snapshot* image = nullptr;
  // Build: from here, where this is the first built stage of its chain; otherwise it goes on from its
  // parent's run.
  std::optional<Candidate> start;
  std::vector<Candidate> candidates;  // all that were weighed for `start`, best first
  bool commit = false;                // Build: keep an image of it (also kept when it fails)
  // Build: the newest image of the environment that holds the stage with another key, and what differs.
  const Snapshot* older = nullptr;
  std::vector<InputChange> changes;
};

struct RestoreOptions {
  std::vector<std::size_t> targets;  // stages to build up to
  std::string base_digest;           // what the base image's name means now; empty where that is not known
  bool fresh = false;                // no older or unfinished image: from the base image on
  // What the base image of an incremental environment says it holds; null where it says nothing.
  const Snapshot* base = nullptr;
};

// `snapshots` must outlive the decisions. One decision per stage of the plan, in its order.
std::vector<StageDecision> decide(const StagePlan& plan, const PackageIndex& packages,
                                  const DependencyGraph& graph, const std::vector<Snapshot>& snapshots,
                                  const RestoreOptions& options);

// What of a snapshot's packages is stale or removed, judged by the tree of the plan.
void judge_packages(const StagePlan& plan, const PackageIndex& packages, const Snapshot& snapshot,
                    Candidate& candidate);

}  // namespace stagemake
