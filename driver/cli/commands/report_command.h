// Summaries of recorded runs. Each command returns its exit status, prints to standard
// output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int report_command(const Options& options);

}  // namespace stagemake
