// Docker's and podman's commit: turns a container's files into an image with the parent's configuration, our
// labels and names.
//
//   commit with changes  ──────────────┐
//   (docker, squash: export | import)  ├─> an image ──> if labels remain: commit a container of it ──> names
//
// `--change` takes lines of a Dockerfile, which cannot express every value. The remaining values are passed
// on the command line of a second container, which accepts all bytes. Docker adds no layer for a container
// without files of its own.
#pragma once

#include <string>

#include "engine/container_engine.h"
#include "engine/docker_cli/docker_cli_program.h"

namespace stagemake {

// As ContainerEngine::commit.
std::string commit_container(const DockerCliProgram& program, const std::string& container,
                             const CommitSpec& spec);

}  // namespace stagemake
