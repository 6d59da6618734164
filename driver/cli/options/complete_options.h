// Completes options from variables, and checks that the result is possible.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

// Options take precedence over variables; an empty variable counts as unset. Throws Error (BadInput) for an
// invalid variable, repository or tag.
void complete_options(Options& options);

}  // namespace stagemake
