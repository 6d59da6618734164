// What is known before anything runs: existing images, the plan, the decisions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/build/build.h"

namespace stagemake {

// Identifies an image's content: its digest in a registry, else its id.
std::string digest_of(const ImageInfo& image);

// Where an image that must be fetched comes from, as the journal names it: a registry's host, or "host NAME".
std::string place_of_transfer(const Snapshot& image);

// All snapshots of this distribution that the engine has. One look-up. For images that claim to be snapshots
// but cannot be used, adds a reason to `problems`, fit for a terminal.
std::vector<Snapshot> find_snapshots(ContainerEngine& engine, const StageTable& table,
                                     std::vector<std::string>* problems = nullptr);

// What configure decided for the plan's `configured` stage, from a snapshot that holds it or from the state
// folder; nothing if that stage does not exist yet.
std::optional<ConfiguredPackages> known_configured(const StateFolder& state, const StagePlan& plan,
                                                   const SnapshotList& snapshots);

// Only the plan, as exact as possible.
StagePlan plan_of(const BuildWorld& world, const Environment& environment, const SnapshotList& snapshots);

// Plans and decides without touching a container. `targets`: names of stages to build up to. Throws Error
// (BadInput) if the image of `settings.restore` does not exist or cannot be used.
EnvironmentBuild prepare(const BuildWorld& world, const Environment& environment,
                         const std::vector<std::string>& targets, const SnapshotList& snapshots,
                         const RestoreSettings& settings);

// The status before anything runs.
EnvironmentStatus status_of(const EnvironmentBuild& build);

}  // namespace stagemake
