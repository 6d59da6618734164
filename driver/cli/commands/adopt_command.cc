#include "cli/commands/adopt_command.h"

#include <fmt/format.h>

#include "base/files/beneath.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/tree.h"
#include "emit/adoption.h"

namespace stagemake {
namespace {

constexpr std::string_view kStatusOfTox =
    "If stagemake ends with exit status 75, the deadline was reached and everything is saved; the same "
    "command\n"
    "continues. tox calls that a failure: tox 4 ends with 75 itself if it ran one environment, and with 255\n"
    "after several; tox 3 always ends with 1. A chain of CI jobs looks for `exited with code 75`.\n";

// `git apply` and `patch` skip the text in front of a patch.
std::string patch_text(const Adoption& adoption) {
  return join(adoption.notes, "\n") + "\n\n" + std::string(kStatusOfTox) + "\n" + adoption.patch;
}

}  // namespace

int adopt_command(const Options& options) {
  Beneath tree(tree_path(options));
  Adoption adoption = adoption_of({.makefile = tree.read("Makefile"),
                                   .fragment = tree.read("ci-docker.mk"),
                                   .tox = tree.read("tox.ini")});
  if (adoption.patch.empty()) {
    say("stagemake: nothing to change\n" + join(adoption.notes, "\n"));
    return 0;
  }
  if (options.adopts_by_diff) {
    fmt::print("{}", patch_text(adoption));
    return 0;
  }
  show("{}\n\n{}\n`stagemake adopt --diff | git apply` does that.\n", join(adoption.notes, "\n"),
       kStatusOfTox);
  return 0;
}

}  // namespace stagemake
