// A shell script of plain engine commands that does the same as a run of a stage, for people without
// stagemake, or to inspect a stage while it fails. Its comments explain the commands. Runs nothing.
//
// Possible secrets (a proxy, a value with a password: base/secrets.h) are not in the script: it takes them
// from its environment.
//
// It leaves out labels, the guard in front of packages, and job slots; none of them changes what is built.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "base/process/network.h"
#include "environment/environment.h"
#include "tree/stage_table.h"

namespace stagemake {

struct Repro {
  std::string engine;          // "docker", "podman" or "buildah"
  fs::path tree;               // absolute
  bool has_git = false;        // git knows the tree's files; if not, all files in the folder are taken
  std::string image;           // the image to start from
  bool is_unfinished = false;  // left by a failed run: sources and work are in it
  std::vector<std::size_t>
      stages;  // of the table, in the order in which they run; the last one is the requested one
  std::vector<Network> networks = {};   // of these stages, in the same order; empty: the engine's default
  std::vector<std::string> about = {};  // lines of comment: why it starts from this image
  std::function<bool(const std::string& path)> is_there;  // whether the tree has a file or folder
};

// A script for any POSIX shell, beginning with `#!/bin/sh`. It keeps the container, so that you can inspect
// it.
std::string repro_script(const Repro& repro, const StageTable& table, const Environment& environment);

}  // namespace stagemake
