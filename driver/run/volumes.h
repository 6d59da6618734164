// Volumes of a base image (VOLUME in its Dockerfile). An engine keeps what lies in one out of every image:
// work that is done there is lost with the container.
#pragma once

#include <string>

#include "engine/container_engine.h"

namespace stagemake {

// Why nothing can be built in a container of `image` whose tree lies at `root` (absolute): one of its volumes
// is at, above or below the root, or holds what the system's package manager installs. Empty where none does.
std::string volumes_in_the_way(const ImageInfo& image, const std::string& root);

}  // namespace stagemake
