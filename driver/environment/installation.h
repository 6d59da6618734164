// How a system is prepared for an environment: the steps around its package manager's commands
// (environment/package_managers.h) that install a list, and the wrapper for every later command in that
// system.
//
// The lists come from elsewhere. The commands are those of the trees' own Dockerfile writers
// (build/bin/write-dockerfile.sh in Sage 9.8, .github/workflows/write-dockerfile.sh in passagemath) and of
// build/bin/sage-print-system-package-command.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

// Differences in how releases install packages. (environment/dockerfile_writer.h finds them in a tree's
// scripts.)
struct InstallationHabits {
  bool unminimizes = true;             // restores files left out of Ubuntu's images, ...
  bool unminimizes_once = true;        // ... with a program that is then removed
  bool extracts_documentation = true;  // documentation, which Arch's images leave out
  bool nix_attributes = true;          // names are attributes of nixpkgs; false: names of packages

  bool operator==(const InstallationHabits&) const = default;
};

// An environment's settings for its system. An empty field means that the setting is not used.
struct SystemSetup {
  std::string system;  // "debian", "fedora", …: the name of its lists in build/pkgs/*/distros
  std::vector<std::string> packages;      // by the system's own names, sorted, without repeats
  bool skipped = false;                   // SKIP_SYSTEM_PKG_INSTALL: the base image has them
  bool ignore_missing = false;            // continue if the package manager does not know some
  std::vector<std::string> repositories;  // EXTRA_REPOSITORIES, as add-apt-repository takes them
  std::string dist_upgrade;               // DIST_UPGRADE: a sed script for /etc/apt/sources.list
  std::string extra_path;                 // EXTRA_PATH: folders in front of PATH, in all stages
  std::string toolset;                    // "devtoolset-11", "gcc-toolset-13": a collection below /opt/rh
  std::string toolset_repository;         // package that provides its repository; may be empty
  std::string condarc;                    // conda: content of the configuration file; may be empty
  InstallationHabits habits;

  bool operator==(const SystemSetup&) const = default;
};

// The shell text (POSIX, run with `sh -e`) that prepares the system; ":" if there is nothing to do. It uses
// no network if all packages are installed. Otherwise it refreshes the index, installs the packages that the
// index knows in one step, compares what is then installed with what was requested, and removes downloads. If
// any of that fails, it fails with the package manager's messages and the names, regardless of
// `ignore_missing`. Packages are missing if the refreshed index does not know them: then the text fails
// before it installs anything, or, with `ignore_missing`, ends with one line that begins with kMissingLine
// and names them. (slackpkg skips names that it does not know, and trees rely on that: there the line appears
// in both cases.) If another process holds the lock, it waits STAGEMAKE_LOCK_SECONDS, by default 60 (xbps and
// nix wait by themselves, without a limit).
std::string installation_recipe(const SystemSetup& setup);
inline constexpr std::string_view kMissingLine = "System packages that are missing, and ignored:";

// Wraps `recipe` so that it runs correctly in a system prepared this way: with the compiler collection
// enabled, in conda's environment, or inside a nix-shell. Returns the recipe unchanged if the system needs no
// wrapper. Used for every stage but the one that prepares the system.
std::string in_system(const SystemSetup& setup, const std::string& recipe);

}  // namespace stagemake
