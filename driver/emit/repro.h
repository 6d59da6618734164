// A stage by hand: a shell script of plain engine commands that does what a run of the stage does, for who
// has no stagemake, and for who wants to look inside while it fails. It says in comments what it does. Runs
// nothing.
//
// What may hold a secret (a proxy, a value with a password: base/secrets.h) is not in it: it takes that from
// the environment of whoever calls it.
//
// What it leaves out: labels, the guard in front of packages, job slots; none of them changes what is built.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/network.h"
#include "plan/environment.h"
#include "plan/stage_table.h"

namespace stagemake {

struct Repro {
  std::string engine;          // "docker", "podman" or "buildah"
  fs::path tree;               // absolute
  bool has_git = false;        // git knows the tree's files; else all that lie there are taken
  std::string image;           // in which it begins
  bool is_unfinished = false;  // that is left of a failed run: sources and work are in it
  std::vector<std::size_t>
      stages;  // of the table, that run one after the other; the last one is the one meant
  std::vector<Network> networks = {};  // of these stages, in the same order; none: the engine's own
  std::vector<std::string> about = {};                    // lines of comment: why it begins there
  std::function<bool(const std::string& path)> is_there;  // whether the tree has a file or folder
};

// For any POSIX shell, beginning with `#!/bin/sh`. The container stays, so that it can be looked into.
std::string repro_script(const Repro& repro, const StageTable& table, const Environment& environment);

}  // namespace stagemake
