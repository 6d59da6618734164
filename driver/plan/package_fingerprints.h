// Digests of how each package is built.
//
// Thread rule: a pure function.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tree/source_tree.h"

namespace stagemake {

// By package, 16 hex digits over the files of build/pkgs/NAME among `files` (sorted) that can affect a build:
// all except descriptions (SPKG.rst), the lists for systems (distros/) and the test of the system's copy
// (spkg-configure.m4). They catch changes that make's stamps miss: an edited patch or build script without a
// new version.
std::map<std::string, std::string> package_fingerprints(const std::vector<SourceFile>& files);

}  // namespace stagemake
