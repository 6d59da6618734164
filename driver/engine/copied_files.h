// Reads files of a container as a stream: a folder of any size needs the memory of one piece.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/files/tarball.h"
#include "engine/container_engine.h"

namespace stagemake {

// Calls `read` once, with a descriptor that receives the tar stream of ContainerEngine::copy_out_to; what it
// leaves unread is discarded. If there is no such path, `read` finds an empty stream, and this returns false.
// Rethrows the exceptions of the engine or of `read`, the engine's first.
bool read_copied(ContainerEngine& engine, const std::string& container, const std::string& path,
                 const std::function<void(int descriptor)>& read);

// The entries of that stream, in its order; none if there is no such path. Files up to `content_limit` bytes
// have their content, larger ones none.
std::vector<TarEntry> copied_entries(ContainerEngine& engine, const std::string& container,
                                     const std::string& path, std::size_t content_limit = 1u << 20);

}  // namespace stagemake
