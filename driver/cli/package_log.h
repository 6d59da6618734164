// A package's own log, from the images and containers of its stage.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

// Prints the log of the command's package from a running container of the stage, else from the newest image
// of it. Returns the command's exit status; throws Error (BadInput) if there is neither.
int package_log(const Options& options, const std::string& environment, const std::string& stage);

}  // namespace stagemake
