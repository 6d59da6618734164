// Predictions from where observations lie: this machine's journal, and the labels of snapshots, which come
// along from other machines.
#pragma once

#include <vector>

#include "plan/candidate.h"
#include "plan/predictions.h"
#include "plan/snapshot.h"
#include "run/journal.h"

namespace stagemake {

// What the packages of these snapshots took where they were built, as far as their labels say. The same build
// shows in every snapshot that holds it: it is in the list once.
std::vector<PackageObservation> package_times(const std::vector<Snapshot>& snapshots);

// The journal comes first: snapshots are heard of packages that it does not know in their environment.
Predictions learned(const JournalContents& journal, const std::vector<Snapshot>& snapshots);

// What an environment's packages and stages will take; of fetching it says nothing.
Costs predicted_costs(const Predictions& predictions, const PackageIndex& packages, const StagePlan& plan);

}  // namespace stagemake
