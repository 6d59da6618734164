// What a package's own log says, which lies in the images and containers of its stage.
#pragma once

#include "cli/options.h"

namespace stagemake {

// Prints the log of the command's package as it is in a container of the stage that runs, else in the newest
// image that was made of it. Returns the command's exit status; throws Error (BadInput) where there is none.
int package_log(const Options& options, const std::string& environment, const std::string& stage);

}  // namespace stagemake
