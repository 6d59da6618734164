// What the environment of whoever called says: variables, and the folders that are the user's.
#pragma once

#include <string>

#include "base/files.h"

namespace stagemake {

// Empty where it is not set.
std::string callers_variable(const char* name);

// Folders of ours by the XDG Base Directory Specification: in $XDG_CACHE_HOME or ~/.cache, in $XDG_STATE_HOME
// or
// ~/.local/state. Empty where neither variable nor HOME is set.
fs::path user_cache_folder();
fs::path user_state_folder();

}  // namespace stagemake
