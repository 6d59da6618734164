// The images that a command is about.
#pragma once

#include <vector>

#include "cli/options.h"
#include "plan/snapshot.h"

namespace stagemake {

// The snapshots of the environments asked for (all, where none is), newest first.
std::vector<Snapshot> wanted_snapshots(const Options& options, ContainerEngine& engine,
                                       const StageTable& table);

}  // namespace stagemake
