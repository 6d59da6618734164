// Shell text in a tree's tables that only a real shell can evaluate, such as `CONFIGURE_ARGS=$(uname -m)` in
// tox.ini. tox passes it to a shell on this machine. Anybody who proposes a change to the tree can write such
// text, so only commands that build run it, and not for pull requests.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/files/files.h"
#include "environment/tox_variables.h"

namespace stagemake {

// Why no shell may run on this machine, as the end of a sentence; nothing: it may. `said`: --host-shell, if
// it was given. Otherwise a shell may run, except in a CI job whose event is a pull request.
std::optional<std::string> host_shell_refusal(std::optional<bool> said, const CallerVariables& caller);

// The value of the text in double quotes, as bash expands it in the tree's folder, with the tree's own tools
// in PATH and with `variables`, as the trees' tox.ini files do. Of the caller's environment, bash gets only
// PATH. Prints to standard error what is run. Throws Error (BadInput) with bash's messages if it fails.
std::string evaluated_by_host_shell(const fs::path& tree, const std::string& text,
                                    const std::map<std::string, std::string>& variables);

}  // namespace stagemake
