// The few forms of shell text that occur in trees' tables, evaluated without a shell:
//
//   $(echo WORDS | sed [-E] 's/PATTERN/TEXT/[g];…')    (POSIX patterns)
//   $(head -n 1 FILE)                                   (a file of the tree)
//   $(sage-package list ARGUMENTS)
//   $(git describe --dirty --always), $BUILD_TAG        (the tree's revision)
//
// Nothing is run and nothing outside the tree is read. The callers handle all other text: they show it
// unchanged, or pass it to a real shell if they may run one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tree/package_index.h"

namespace stagemake {

struct ShellFacts {
  const PackageIndex& packages;
  // The output of `git describe --dirty --always`; called only if a value needs it. nullopt: unknown.
  std::function<std::optional<std::string>()> revision;
};

// Whether `text` contains anything that a shell would replace: `$`, a backquote.
bool has_shell_text(std::string_view text);

// The result of expanding `text` as the body of a double-quoted string; nullopt if a form is not one of the
// above. Throws Error (BadInput) if `sage-package list` would reject its arguments.
std::optional<std::string> expand_shell_forms(std::string_view text, const ShellFacts& facts);

}  // namespace stagemake
