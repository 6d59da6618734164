// The options that define environments: the same for all commands about environments.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

// The names of environments, an option for each of Sage's variables, and --set for any other; values go to
// `options`, which must live as long as `command`.
void add_environment_options(CLI::App& command, Options& options, bool name_required);

// The same without the names.
void add_environment_settings(CLI::App& command, Options& options);

}  // namespace stagemake
