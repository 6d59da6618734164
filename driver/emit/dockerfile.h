// The stages of an environment as a Dockerfile, for people who want plain `docker build`.
//
// Its images have the same contents as stagemake's, under the names of the stages (`docker build --target
// with-targets`). The same table, environment and tree give the same bytes on every machine. Works with
// docker's legacy builder and with BuildKit. Knows Dockerfiles; runs nothing.
#pragma once

#include <functional>
#include <string>

#include "base/files/files.h"
#include "environment/environment.h"
#include "tree/stage_table.h"

namespace stagemake {

enum class ContextEntry { Absent, File, Folder };
// What `docker build` finds at a path of the tree; files that .dockerignore excludes are absent.
using ContextLook = std::function<ContextEntry(const std::string& path)>;

// For a tree on disk.
ContextLook build_context(const fs::path& tree);

// Values from the caller's environment (a proxy) and secrets (base/secrets.h) are not written: the file says
// so, and you pass them to `docker build`. Throws Error (BadInput) if a recipe, a value or a path cannot be
// written in a Dockerfile.
std::string dockerfile(const StageTable& table, const Environment& environment, const ContextLook& context);

}  // namespace stagemake
