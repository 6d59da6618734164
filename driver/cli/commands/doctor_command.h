// Checks what a build needs of this machine: an engine, and the base images of environments. Returns the exit
// status, prints to standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int doctor_command(const Options& options);

}  // namespace stagemake
