// What a fake engine's images and containers hold: files by path, and what an image remembers beside them.
//
// Thread rule: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/tarball.h"
#include "engine/container_engine.h"

namespace stagemake {

struct FakeFile {
  TarEntry::Kind kind = TarEntry::Kind::File;
  std::string content = {};  // of a file; the target of a symlink
  unsigned mode = 0644;
  std::int64_t time = 0;  // seconds since the epoch
  bool operator==(const FakeFile&) const = default;
};

// By absolute path, without a "/" at the end.
using FakeFiles = std::map<std::string, FakeFile>;

// What an image remembers beside files and labels.
struct FakeConfiguration {
  std::vector<std::string> command = {};
  std::vector<std::string> entry_point = {};
  std::vector<std::string> environment = {};
  std::string user = {};
  std::string working_folder = {};
  bool operator==(const FakeConfiguration&) const = default;
};

struct FakeImage {
  FakeFiles files = {};
  Labels labels = {};
  FakeConfiguration configuration = {};
  std::int64_t created = 0;  // 0: the engine's clock
  unsigned layers = 1;
  std::string digest = {};
  std::vector<std::string> layer_ids = {};  // below its own, which is its id
};

// "sha256:…" of all that an image holds but its digest: the same content has the same, on every machine.
std::string content_digest(const FakeImage& image);

// Files as a tar stream and back: entries are named without the leading "/", folders before what they hold.
std::string tar_of(const FakeFiles& files);
FakeFiles files_in(const std::string& tar);
// Throws EngineError where it cannot be read.
FakeFiles files_in(const fs::path& tar_file);

// `path` with the symlinks of its folders followed, as the kernel would inside the container. The last
// component is followed only with `last`. Throws EngineError where they lead in a circle.
std::string followed(const FakeFiles& files, const std::string& path, bool last = false);
// Whether `path` lies in that folder or below it.
bool lies_below(const std::string& path, const std::string& folder);
// As a tar is unpacked over what is there.
void unpack(FakeFiles& files, const FakeFiles& added);

}  // namespace stagemake
