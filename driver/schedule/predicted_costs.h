// What snapshots say about durations, and the costs that decide where a build starts. Pure.
#pragma once

#include <vector>

#include "schedule/predictions.h"
#include "snapshot/candidate.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// How long the packages of these snapshots took where they were built, as their labels say. The same build
// appears in every snapshot that holds it, but only once in the list.
std::vector<PackageObservation> package_times(const SnapshotList& snapshots);

// Predicted times of an environment's packages and stages; without fetching.
Costs predicted_costs(const Predictions& predictions, const PackageIndex& packages, const StagePlan& plan);

}  // namespace stagemake
