// Snapshots in registries: found by their names, judged by their labels, without a pull.
#pragma once

#include <string>
#include <vector>

#include "registry/registry.h"
#include "snapshot/snapshot.h"
#include "tree/stage_table.h"

namespace stagemake {

struct RemoteSnapshots {
  std::vector<Snapshot> snapshots;    // unordered; each once, with all its names
  std::vector<std::string> problems;  // a line each: what could not be examined, and why
};

// Snapshots of these environments' stages in the repositories ("ghcr.io/me/", "127.0.0.1:5000/"). Leaves out
// those already on this machine, according to `here`.
RemoteSnapshots find_remote_snapshots(Registry& registry, const StageTable& table,
                                      const std::vector<std::string>& environments,
                                      const std::vector<std::string>& repositories, const SnapshotList& here);

// Sets for snapshots in registries what a fetch would transfer: the layers that are not at the bottom of an
// image on this machine. `here`: layer ids of images, from the bottom up.
void set_fetch_sizes(std::vector<Snapshot>& remote, const std::vector<std::vector<std::string>>& here);

// The snapshot that the labels of an image in a registry describe; nothing if it is none.
std::optional<Snapshot> snapshot_in(const RegistryImage& image);

// Why an image in a registry must not be replaced by `ours`, which has its name: it holds the same or more,
// or it is the stage that the name denotes and `ours` is a later one. Empty: it may be.
std::string worth_keeping(const Snapshot& there, const Snapshot& ours);

}  // namespace stagemake
