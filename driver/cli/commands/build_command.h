// Builds environments, says what a build would do, and changes the job slots of a running one. Each command
// returns its exit status, prints to standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int build_command(const Options& options);
int explain_command(const Options& options);
int jobs_command(const Options& options);

}  // namespace stagemake
