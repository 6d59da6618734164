// Runs a script in a docker container over the daemon's socket: attaches to the container, starts it, gives
// its shell the script (engine/script_input.h), and passes on the output until nothing comes any more.
//
// An attached connection that ends says nothing about the container, which may run on: a script may close its
// output, and a daemon may go away. What the container's state says, counts.
#pragma once

#include <string>

#include "engine/container_engine.h"
#include "engine/docker/docker_api.h"

namespace stagemake {

// As ContainerEngine::run.
RunOutcome run_attached(const DockerApi& api, const std::string& container, const std::string& script,
                        const OutputSink& sink, const StopRequest& stop);

// Asks everything but the first process in a container to end. If there is nothing yet, tries again until
// `patience` is over, the container does not run, or a request comes.
void ask_to_end(const DockerApi& api, const std::string& container, std::chrono::milliseconds patience,
                const std::stop_token& now = {});
// Kills what runs in a container. An absent or idle one is fine.
void kill_container(const DockerApi& api, const std::string& container);

}  // namespace stagemake
