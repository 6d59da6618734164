// Containers that a dead driver left behind: their work is kept.
#pragma once

#include <string>

#include "report/event.h"
#include "run/build.h"

namespace stagemake {

// The containers that a driver of this state folder left of `environment`. The caller holds the environment's
// lock: no living driver of this folder has such a container.
std::vector<ContainerInfo> left_containers(const BuildWorld& world, const std::string& environment);

// Commits them as unfinished snapshots, removes them, and says so.
void adopt_containers(const BuildWorld& world, const std::string& environment, Reporter& reporter);

}  // namespace stagemake
