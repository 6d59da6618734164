// Lists and removes images. Each command returns its exit status, prints to standard
// output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int snapshots_command(const Options& options);
int clean_command(const Options& options);

}  // namespace stagemake
