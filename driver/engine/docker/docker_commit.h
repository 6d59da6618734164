// Docker's commit by its socket: turns a container's files into an image with the parent's configuration, our
// labels and names.
//
//   commit with a configuration ─────────────────────────────┬─> names
//   squash: export | import ─> commit of a container of it ──┘
//
// A configuration is JSON, so it can express every label. Docker adds no layer for a container without files
// of its own.
#pragma once

#include <string>

#include "engine/container_engine.h"
#include "engine/docker/docker_api.h"

namespace stagemake {

// As ContainerEngine::commit.
std::string commit_container(const DockerApi& api, const std::string& container, const CommitSpec& spec);

// The content of a request that creates a container with this description.
std::string container_content(const ContainerSpec& spec);

}  // namespace stagemake
