// The whole command line as a value, with everything that --help shows, for completion and manual pages.
#pragma once

#include "emit/completion.h"

namespace stagemake {

CommandLine described_command_line();

}  // namespace stagemake
