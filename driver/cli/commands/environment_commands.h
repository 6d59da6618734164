// What names of environments mean, and what follows from that without an engine. Each command returns its
// exit status, prints to standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int env_command(const Options& options);
int envs_command(const Options& options);
int system_packages_command(const Options& options);
int dockerfile_command(const Options& options);

}  // namespace stagemake
