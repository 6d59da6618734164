// A patch with which a distribution adopts stagemake: the lines that the manual's page about make, tox and CI
// gives, at their places in its Makefile and tox.ini. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

// The files that adoption changes, as they are; nothing: there is no such file.
struct AdoptedTree {
  std::optional<std::string> makefile, fragment, tox;  // Makefile, ci-docker.mk, tox.ini
};

struct Adoption {
  std::string patch;               // for `git apply`; empty if nothing remains to be done
  std::vector<std::string> notes;  // one line per file: what changes in it, or why nothing does
};
Adoption adoption_of(const AdoptedTree& tree);

struct MakefileFragment {
  std::string_view name;  // "ci-docker.mk"
  std::string_view text;
};

// The files of makefile-fragments, which the build puts into the program (driver/embed_files.cmake).
const std::vector<MakefileFragment>& makefile_fragments();

}  // namespace stagemake
