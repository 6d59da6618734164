// The package managers that are known: what each is asked for, as functions of a POSIX shell, and which
// systems have it. plan/installation.h puts the steps around them that are the same for all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/installation.h"

namespace stagemake {

// A few shell functions. They run with LC_ALL=C and -f: what a manager says is read, since the status of few
// tells one error from the other. Names are "$@":
//
// - look: called before is_there, for all names at once.
// - is_there: "$1" is installed, and works. Neither asks a network.
// - begin: called once before anything else, where something is to be installed.
// - update: refreshes the index.
// - unknown: prints what the refreshed index does not know, a line each, as far as it has such names.
// - certain: fails where a part of the index is lacking, so that `unknown` may be wrong.
// - install: installs all at once.
// - broken: after a good or a bad end, prints the packages whose scripts or files failed ($notes is what
//   install said), and takes them away: else the next run would find all there.
// - clean: removes what was downloaded.
//
// Three variables are extended patterns for what a manager says: $locked, another process holds its lock
// (none: it waits, and says so, by itself); $stale and $failed, the index is not refreshed and packages are
// not installed, whatever the status is. (Scripts of packages print what they like, and a manager's words may
// be among it.)
struct PackageManager {
  std::string_view functions;
  std::string_view more = {};                            // functions that override or complete those
  std::string (*prepare)(const SystemSetup&) = nullptr;  // text that runs once, before the index is refreshed
  // It succeeds also where it does not know a name, and trees rely on that.
  bool passes_over_unknown = false;

  // Shell text that defines them all.
  std::string definitions() const;
};

// The systems whose package manager is known, sorted: "alpine", "arch", "conda", "debian", …
std::vector<std::string> known_systems();

// Throws Error (BadInput), with what is known, where the package manager of `system` is not.
void check_system(const std::string& system);

// That of the system of an environment. Throws as check_system() does.
const PackageManager& package_manager(const SystemSetup& setup);

}  // namespace stagemake
