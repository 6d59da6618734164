// Packages, stages and plans, from the tree's metadata alone. Each command returns its exit status, prints to
// standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int list_command(const Options& options);
int packages_command(const Options& options);
int plan_command(const Options& options);
int stages_command(const Options& options);

}  // namespace stagemake
