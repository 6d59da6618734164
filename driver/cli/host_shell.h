// Shell text in a tree's tables that only a real shell can evaluate, such as `CONFIGURE_ARGS=$(uname -m)` in tox.ini.
// tox hands it to a shell of this machine. Whoever proposes a change to the tree can write it, so it is run only by
// commands that build, and not for pull requests.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/files.h"
#include "plan/tox_variables.h"

namespace stagemake {

// Why no shell of this machine may be run, as the end of a sentence; nothing: one may. `said`: --host-shell, where the
// person gave it. Otherwise it is allowed, but in a CI job whose event is a pull request.
std::optional<std::string> host_shell_refusal(std::optional<bool> said, const CallerVariables& caller);

// What bash makes of text in double quotes, in the tree's folder, with the tree's own tools in PATH and with `variables`,
// as trees' tox.ini files have it done. Of the caller's environment it gets PATH alone. Says on standard error what is
// run. Throws Error (BadInput) with bash's words where it fails.
std::string evaluated_by_host_shell(const fs::path& tree, const std::string& text,
                                    const std::map<std::string, std::string>& variables);

}  // namespace stagemake
