// How a system is prepared for an environment: the steps around its package manager's commands
// (plan/package_managers.h) that install a list, and what every later command in that system has to run
// inside of.
//
// Does not know where the lists come from. The commands are those of the trees' own
// Dockerfile writers (build/bin/write-dockerfile.sh in Sage 9.8, .github/workflows/write-dockerfile.sh in
// passagemath) and of build/bin/sage-print-system-package-command.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

// In what the releases' ways to install differ. (plan/dockerfile_writer.h finds them in a tree's scripts.)
struct InstallationHabits {
  bool unminimizes = true;             // Ubuntu's images get back what was left out, ...
  bool unminimizes_once = true;        // ... by a program that is then removed
  bool extracts_documentation = true;  // which Arch's images leave out
  bool nix_attributes = true;          // names are attributes of nixpkgs; false: names of packages

  bool operator==(const InstallationHabits&) const = default;
};

// What an environment says of its system. Empty fields: nothing of the kind is wanted.
struct SystemSetup {
  std::string system;  // "debian", "fedora", …: the name of its lists in build/pkgs/*/distros
  std::vector<std::string> packages;      // by the system's own names, sorted, without repeats
  bool skipped = false;                   // SKIP_SYSTEM_PKG_INSTALL: the base image has them
  bool ignore_missing = false;            // go on where the package manager does not know some
  std::vector<std::string> repositories;  // EXTRA_REPOSITORIES, as add-apt-repository takes them
  std::string dist_upgrade;               // DIST_UPGRADE: a sed script for /etc/apt/sources.list
  std::string extra_path;                 // EXTRA_PATH: folders in front of PATH, in all stages
  std::string toolset;                    // "devtoolset-11", "gcc-toolset-13": a collection below /opt/rh
  std::string toolset_repository;         // the package that brings its repository; may be empty
  std::string condarc;                    // conda: content of the configuration file; may be empty
  InstallationHabits habits;

  bool operator==(const SystemSetup&) const = default;
};

// The shell text (POSIX, run with `sh -e`) that prepares the system; ":" where there is nothing to do. It
// asks no network where all packages are there. Else it refreshes the index, installs in one step what the
// index knows, compares what is then installed with what was asked for, and removes what was downloaded. It
// fails, in the package manager's words and with the names, where any of that does not succeed, whatever
// `ignore_missing` says. Packages are missing if the refreshed index does not know them: then the text fails
// before it installs anything, or, with `ignore_missing`, ends with one line that begins with kMissingLine
// and names them. (slackpkg passes over names that it does not know, and trees rely on that: there the line
// comes in both cases.) For a lock that another process holds it waits STAGEMAKE_LOCK_SECONDS, 60 if that is
// not set (xbps and nix wait by themselves, without a limit).
std::string installation_recipe(const SystemSetup& setup);
inline constexpr std::string_view kMissingLine = "System packages that are missing, and ignored:";

// `recipe` as it must run in a system that was prepared so: with the collection of compilers enabled, in
// conda's environment, inside a nix-shell. The recipe itself where the system asks for nothing. Used for
// every stage but the one that prepares.
std::string in_system(const SystemSetup& setup, const std::string& recipe);

}  // namespace stagemake
