// The few forms of shell text that occur in trees' tables, evaluated without a shell:
//
//   $(echo WORDS | sed [-E] 's/PATTERN/TEXT/[g];…')    (POSIX patterns)
//   $(head -n 1 FILE)                                   (a file of the tree)
//   $(sage-package list ARGUMENTS)
//   $(git describe --dirty --always), $BUILD_TAG        (the tree's revision)
//
// Nothing is run and nothing outside the tree is read. Anything else is left for others: it is told as it
// stands, or given to a real shell by who may run one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "plan/package_index.h"

namespace stagemake {

struct ShellFacts {
  const PackageIndex& packages;
  // What `git describe --dirty --always` says; asked for only where a value needs it. Nothing: not known.
  std::function<std::optional<std::string>()> revision;
};

// Whether `text` holds anything that a shell would replace: `$`, a backquote.
bool has_shell_text(std::string_view text);

// `text` as the body of a double-quoted string would come out of a shell; nothing where a form is not one of
// the above. Throws Error (BadInput) where `sage-package list` would refuse its arguments.
std::optional<std::string> expand_shell_forms(std::string_view text, const ShellFacts& facts);

}  // namespace stagemake
