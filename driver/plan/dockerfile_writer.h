// What a tree's own Dockerfile writer does, read from its text: which packages' lists of system packages it
// installs, and what it builds where nobody says it. The writer is a shell script that tox runs; releases
// differ in it, and no release is known here by its number.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/files.h"
#include "plan/installation.h"
#include "plan/tree_features.h"

namespace stagemake {

struct DockerfileWriter {
  // The packages are chosen by a pattern of types (TYPE_PATTERN) instead of a package list, and to their
  // lists come build/pkgs/SYSTEM.txt and build/pkgs/SYSTEM-bootstrap.txt.
  bool by_type = false;
  // Of a class of packages, those that have a list for the system; false: those that configure looks for.
  bool asks_for_list = true;
  // Lists come from build/bin/sage-get-system-packages: a package that is one of the system's own Python
  // counts only where the environment uses those, and variables in the names are replaced.
  bool asks_python = false;
  // configure is told of a package only if it has a list that is not empty; false: if it can look for it.
  bool tells_configure_of_lists = false;
  // ... also of pseudo-packages, whose names begin with `_`.
  bool tells_configure_of_pseudo = false;
  // DEVTOOLSET is the number of a devtoolset; false: the name of a collection.
  bool numbered_toolsets = true;
  InstallationHabits habits;
  // Variables of its recipes (`ARG`, `ENV`) that have a value there, by name: TARGETS_PRE,
  // SAGE_CHECK_PACKAGES, …
  std::map<std::string, std::string> defaults;

  // As far as `writer`, `lists` (the text of sage-get-system-packages) and `commands` (that of
  // sage-print-system-package-command) say it.
  static DockerfileWriter parse(std::string_view writer, std::string_view lists,
                                std::string_view commands = {});
  // That of a tree; where it has none, what those of the releases with the same features do.
  static DockerfileWriter read(const fs::path& tree, const TreeFeatures& features);
};

}  // namespace stagemake
