// Shell completion, topics of the manual, and manual pages. Each command returns its exit status, prints to
// standard output, and throws Error on failure.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

int completion_command(const Options& options);
// The text of the named topics.
int help_command(const Options& options);
// The page of the program, or those of the named commands and topics, as man(7) source.
int manual_command(const Options& options);

}  // namespace stagemake
