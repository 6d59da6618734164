// Volumes of a base image (VOLUME in its Dockerfile). An engine keeps the content of a volume out of every
// image: work done there is lost with the container.
#pragma once

#include <string>

#include "engine/container_engine.h"

namespace stagemake {

// Why nothing can be built in a container of `image` whose tree lies at `root` (absolute): one of its volumes
// is at, above or below the root, or holds files that the system's package manager installs. Empty if there
// is no such volume.
std::string volumes_in_the_way(const ImageInfo& image, const std::string& root);

}  // namespace stagemake
