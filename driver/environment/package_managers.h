// The known package managers: their operations, as functions of a POSIX shell, and the systems that use them.
// environment/installation.h adds the steps that are the same for all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "environment/installation.h"

namespace stagemake {

// A few shell functions. They run with LC_ALL=C and -f. They read the manager's output, because the exit
// status of most managers does not distinguish errors. Names are "$@":
//
// - look: called before is_there, for all names at once.
// - is_there: "$1" is installed, and works. Neither uses the network.
// - begin: called once before anything else if something is to be installed.
// - update: refreshes the index.
// - unknown: prints the names that the refreshed index does not know, one per line, if it can tell.
// - certain: fails if a part of the index is missing, so that `unknown` may be wrong.
// - install: installs all at once.
// - broken: after success or failure, prints the packages whose scripts or files failed ($notes is the output
//   of install), and removes them: else the next run would find all packages installed.
// - clean: removes downloads.
//
// Three variables are extended patterns for the manager's output. $locked: another process holds its lock
// (empty: it waits, and says so, by itself). $stale: the index was not refreshed, whatever the status is.
// $failed: packages were not installed, whatever the status is. (Scripts of packages can print anything, even
// text that looks like a manager's message.)
struct PackageManager {
  std::string_view functions;
  std::string_view more = {};                            // functions that override or complete `functions`
  std::string (*prepare)(const SystemSetup&) = nullptr;  // text that runs once, before the index is refreshed
  // It succeeds even if it does not know a name, and trees rely on that.
  bool passes_over_unknown = false;

  // Shell text that defines them all.
  std::string definitions() const;
};

// The systems with a known package manager, sorted: "alpine", "arch", "conda", "debian", …
std::vector<std::string> known_systems();

// Throws Error (BadInput), listing the known systems, if the package manager of `system` is unknown.
void check_system(const std::string& system);

// The package manager of an environment's system. Throws like check_system().
const PackageManager& package_manager(const SystemSetup& setup);

}  // namespace stagemake
