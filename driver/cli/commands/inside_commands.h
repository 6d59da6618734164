// Opens a shell in a stage. Each command returns its exit status, prints to standard
// output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int shell_command(const Options& options);

}  // namespace stagemake
