// Progress and logs of runs. Each command returns its exit status, prints to standard
// output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int status_command(const Options& options);
int logs_command(const Options& options);

}  // namespace stagemake
