// The stages of an environment as a Dockerfile, for people who want plain `docker build`.
//
// Its images hold what ours hold, under the stages' names (`docker build --target with-targets`). The same
// table, environment and tree give the same bytes on every machine. Works with docker's legacy builder and
// with BuildKit. Knows Dockerfiles; runs nothing.
#pragma once

#include <functional>
#include <string>

#include "base/files.h"
#include "plan/environment.h"
#include "plan/stage_table.h"

namespace stagemake {

enum class ContextEntry { Absent, File, Folder };
// What `docker build` finds at a path of the tree; what .dockerignore excludes is absent.
using ContextLook = std::function<ContextEntry(const std::string& path)>;

// For a tree on disk.
ContextLook build_context(const fs::path& tree);

// No value is written that is the caller's own (a proxy) or holds a secret (base/secrets.h): the file says
// so, and `docker build` is to be told it. Throws Error (BadInput) where a recipe, a value or a path cannot
// stand in a Dockerfile.
std::string dockerfile(const StageTable& table, const Environment& environment, const ContextLook& context);

}  // namespace stagemake
