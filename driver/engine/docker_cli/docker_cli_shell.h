// The command lines of docker and podman that a person's terminal is passed to, and the words that they share
// with others.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// Each begins with `program`: its path, and options that come before its verbs. They keep the rules of
// ContainerEngine::shell_command, open_shell and command_inside.
std::vector<std::string> docker_shell_command(std::vector<std::string> program, const std::string& image);
std::vector<std::string> docker_run_command(std::vector<std::string> program, const ContainerSpec& spec,
                                            const std::vector<std::string>& argv, bool terminal);
std::vector<std::string> docker_exec_command(std::vector<std::string> program, const std::string& container,
                                             const std::vector<std::string>& argv, bool terminal);

// The argument of --mount.
std::string docker_mount_words(const FileMount& mount);
// Without the option, containers have the network that the engine is configured for.
void add_docker_network(Network network, std::vector<std::string>& arguments);

}  // namespace stagemake
