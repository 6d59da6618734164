// Snapshots that lie in registries: found by their names, judged by their labels, without a pull.
#pragma once

#include <string>
#include <vector>

#include "engine/registry.h"
#include "plan/snapshot.h"
#include "plan/stage_table.h"

namespace stagemake {

struct RemoteSnapshots {
  std::vector<Snapshot> snapshots;    // in no order; each once, with all its names
  std::vector<std::string> problems;  // a line each: what could not be looked at, and why
};

// Those of these environments' stages in the repositories ("ghcr.io/me/", "127.0.0.1:5000/"). What is on this
// machine already, as `here` shows, is left out.
RemoteSnapshots find_remote_snapshots(Registry& registry, const StageTable& table,
                                      const std::vector<std::string>& environments,
                                      const std::vector<std::string>& repositories,
                                      const std::vector<Snapshot>& here);

// Says of snapshots in registries what a fetch would bring: without the layers that lie at the bottom of an
// image that is here. `here`: layer ids of images, from the lowest on.
void set_fetch_sizes(std::vector<Snapshot>& remote, const std::vector<std::vector<std::string>>& here);

// The snapshot that an image in a registry says it is; nothing where it is none.
std::optional<Snapshot> snapshot_in(const RegistryImage& image);

// Why an image in a registry must not be replaced by `ours`, which has its name: it holds the same or more,
// or is the very stage that the name tells and ours a later one. Empty: it may be.
std::string worth_keeping(const Snapshot& there, const Snapshot& ours);

}  // namespace stagemake
