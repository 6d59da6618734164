// Runs a script in a docker container over the daemon's socket: attaches to the container, starts it, gives
// its shell the script (engine/script_input.h), and passes on the output until nothing comes any more.
//
// An attached connection that ends says nothing about the container, which may run on: a script may close its
// output, and a daemon may go away. What the container's state says, counts.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "engine/container_engine.h"
#include "engine/docker/docker_api.h"

namespace stagemake {

// A stop request may come before the container's first process starts (0.1 s after `start` on an idle
// machine) or between two commands of the script: then there is nothing to signal yet. So ask_to_end() tries
// again this long.
inline constexpr std::chrono::milliseconds kAskPatience{2000};

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
