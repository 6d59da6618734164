// The caller's environment: variables, and the user's folders.
#pragma once

#include <string>

#include "base/files/files.h"

namespace stagemake {

// Empty if it is not set.
std::string callers_variable(const char* name);

// Our folders by the XDG Base Directory Specification: in $XDG_CACHE_HOME or ~/.cache, and in $XDG_STATE_HOME
// or ~/.local/state. Empty if neither the variable nor HOME is set.
fs::path user_cache_folder();
fs::path user_state_folder();

}  // namespace stagemake
