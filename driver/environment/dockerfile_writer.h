// What a tree's own Dockerfile writer does, read from its text: for which packages it installs lists of
// system packages, and its default targets. The writer is a shell script that tox runs; it differs between
// releases, and no version numbers are used here.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/files/files.h"
#include "environment/installation.h"
#include "tree/tree_features.h"

namespace stagemake {

struct DockerfileWriter {
  // Packages are chosen by a pattern of types (TYPE_PATTERN) instead of a package list, and
  // build/pkgs/SYSTEM.txt and build/pkgs/SYSTEM-bootstrap.txt are added to their lists.
  bool by_type = false;
  // From a class of packages, choose those with a list for the system; false: those that configure looks for.
  bool asks_for_list = true;
  // Lists come from build/bin/sage-get-system-packages: a package of the system's own Python counts only if
  // the environment uses that Python's packages, and variables in names are replaced.
  bool asks_python = false;
  // configure gets an option for a package only if its list is not empty; false: if configure can look for
  // it.
  bool tells_configure_of_lists = false;
  // ... and also for pseudo-packages, whose names begin with `_`.
  bool tells_configure_of_pseudo = false;
  // DEVTOOLSET is the number of a devtoolset; false: the name of a compiler collection.
  bool numbered_toolsets = true;
  InstallationHabits habits;
  // Variables of its recipes (`ARG`, `ENV`) that have a value, by name: TARGETS_PRE, SAGE_CHECK_PACKAGES, …
  std::map<std::string, std::string> defaults;

  // Parses `writer`, `lists` (the text of sage-get-system-packages) and `commands` (the text of
  // sage-print-system-package-command).
  static DockerfileWriter parse(std::string_view writer, std::string_view lists,
                                std::string_view commands = {});
  // The writer of a tree; if it has none, that of the releases with the same features.
  static DockerfileWriter read(const fs::path& tree, const TreeFeatures& features);
};

}  // namespace stagemake
