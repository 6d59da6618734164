// From which image each stage goes on: the decision, and its reasons. Pure: a plan and the snapshots that
// exist, on this machine and in registries, go in, one decision per stage comes out; `build`, `--dry-run` and
// `explain` all show or follow the same decisions.
//
// A stage whose key an image holds is reused. The first stage of a chain whose key none holds is built, and
// with it all that follow; it starts where the least time is needed to fetch the image and to build what is
// missing or out of date in it (plan/candidate.h):
//   - its parent's image: the clean way;
//   - what is left of an unfinished run with the same key;
//   - an older image of the environment, of this or a later stage, finished or not, whose system, base image
//     and configuration are the same and whose sources are other: they are synced, stale packages
//     uninstalled, and make goes on from its stamps. Where it was bootstrapped or configured from other
//     sources, that is done again in it, whatever other images hold those stages.
// Images in registries take part where this is faster in all than what is on this machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/candidate.h"

namespace stagemake {

// An input of a stage's key that is other than it was in an older image.
struct InputChange {
  std::string input;
  std::string before;  // empty: it was not there
  std::string after;   // empty: it is no more
};

struct StageDecision {
  enum class Action { NotWanted, Reuse, Build } action = Action::NotWanted;
  // Reuse: an image that holds the stage, its own if there is one. One in a registry is brought here only if
  // the stage was asked for.
  const Snapshot* image = nullptr;
  // Build: from here, where this is the first built stage of its chain; otherwise it goes on from its
  // parent's run.
  std::optional<Candidate> start;
  // All of the environment that were weighed for `start`, best first, then those that may not be used.
  std::vector<Candidate> candidates;
  bool commit = false;  // Build: keep an image of it (also kept when it fails)
  // Build: an image of the environment that holds the stage with another key, and what differs: the one in
  // which the build starts, if that holds the stage, else the newest. Null in a fresh build.
  const Snapshot* older = nullptr;
  std::vector<InputChange> changes;
  // Build: the newest image that holds the stage with this very key, and why it is not used; null: there is
  // none, or it is the image that the stages start in.
  const Snapshot* unused = nullptr;
  std::string unused_why;
};

// `snapshots` must outlive the decisions. One decision per stage of the plan, in its order.
std::vector<StageDecision> decide(const StagePlan& plan, const PackageIndex& packages,
                                  const MakeVariables& variables, const std::vector<Snapshot>& snapshots,
                                  const RestoreOptions& options);

// Seconds until all is built, as far as that is known: fetching, stages, and packages one after the other.
double predicted_seconds(const std::vector<StageDecision>& decisions, const RestoreOptions& options);

// What of a snapshot's packages is stale, removed or unwanted, judged by the tree of the plan.
void judge_packages(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
                    const RestoreOptions& options, const Snapshot& snapshot, Candidate& candidate);

}  // namespace stagemake
