// `stagemake adopt`: what a distribution's Makefile and tox.ini need to call stagemake. Returns its exit
// status, prints to standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int adopt_command(const Options& options);

}  // namespace stagemake
