// Containers that a dead driver left behind: their work is kept.
#pragma once

#include <string>

#include "report/event.h"
#include "run/build.h"

namespace stagemake {

// Commits every container that a driver of this state folder left of `environment` as an unfinished snapshot, removes
// it, and says so. The caller holds the environment's lock: no living driver of this folder has such a container.
void adopt_containers(const BuildWorld& world, const std::string& environment, Reporter& reporter);

}  // namespace stagemake
