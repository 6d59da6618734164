// Files of a container, read as they come: a folder of any size takes the memory of one piece.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/tarball.h"
#include "engine/container_engine.h"

namespace stagemake {

// Calls `read` with a descriptor at which the tar stream of ContainerEngine::copy_out_to arrives, once; what it leaves
// unread is dropped. False, after a `read` that found an empty stream, where there is no such path. Throws what the engine
// or `read` throws, the engine's first.
bool read_copied(ContainerEngine& engine, const std::string& container, const std::string& path,
                 const std::function<void(int descriptor)>& read);

// The entries of that stream, in its order; none where there is no such path. Files up to `content_limit` bytes have their
// content, larger ones none.
std::vector<TarEntry> copied_entries(ContainerEngine& engine, const std::string& container, const std::string& path,
                                     std::size_t content_limit = 1u << 20);

}  // namespace stagemake
