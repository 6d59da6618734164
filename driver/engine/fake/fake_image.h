// The content of a fake engine's images and containers: files by path, and an image's configuration.
//
// Thread rule: values; also those that share their files.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files/tarball.h"
#include "engine/container_engine.h"

namespace stagemake {

struct FakeFile {
  TarEntry::Kind kind = TarEntry::Kind::File;
  std::string content = {};  // of a file; the target of a symlink
  unsigned mode = 0644;
  std::int64_t time = 0;  // seconds since the epoch
  bool operator==(const FakeFile&) const = default;
};

// Files by absolute path, without a "/" at the end. Copies share the map until one of them is changed: an
// image and its containers need one map as long as nothing writes. Any non-const access counts as a change,
// even a lookup.
class FakeFiles {
 public:
  using Map = std::map<std::string, FakeFile>;
  using value_type = Map::value_type;
  using iterator = Map::iterator;
  using const_iterator = Map::const_iterator;

  FakeFiles() = default;
  FakeFiles(std::initializer_list<value_type> files) : map_(std::make_shared<Map>(files)) {}

  const_iterator begin() const { return shared().begin(); }
  const_iterator end() const { return shared().end(); }
  const_iterator find(const std::string& path) const { return shared().find(path); }
  const_iterator lower_bound(const std::string& path) const { return shared().lower_bound(path); }
  const_iterator upper_bound(const std::string& path) const { return shared().upper_bound(path); }
  const FakeFile& at(const std::string& path) const { return shared().at(path); }
  bool contains(const std::string& path) const { return shared().contains(path); }
  bool empty() const { return shared().empty(); }
  std::size_t size() const { return shared().size(); }

  iterator begin() { return own().begin(); }
  iterator end() { return own().end(); }
  iterator find(const std::string& path) { return own().find(path); }
  iterator lower_bound(const std::string& path) { return own().lower_bound(path); }
  iterator upper_bound(const std::string& path) { return own().upper_bound(path); }
  FakeFile& at(const std::string& path) { return own().at(path); }
  FakeFile& operator[](const std::string& path) { return own()[path]; }
  void try_emplace(const std::string& path, FakeFile file) { own().try_emplace(path, std::move(file)); }
  std::size_t erase(const std::string& path) { return own().erase(path); }
  iterator erase(const_iterator file) { return own().erase(file); }
  void clear() { map_.reset(); }
  template <typename Condition>
  friend std::size_t erase_if(FakeFiles& files, Condition condition) {
    return std::erase_if(files.own(), condition);
  }

  bool operator==(const FakeFiles& other) const { return map_ == other.map_ || shared() == other.shared(); }

 private:
  const Map& shared() const;
  Map& own();

  std::shared_ptr<Map> map_;  // null: no files
};

// An image's configuration besides files and labels.
struct FakeConfiguration {
  std::vector<std::string> command = {};
  std::vector<std::string> entry_point = {};
  std::vector<std::string> environment = {};
  std::string user = {};
  std::string working_folder = {};
  std::vector<std::string> volumes = {};
  bool operator==(const FakeConfiguration&) const = default;
};

struct FakeImage {
  FakeFiles files = {};
  Labels labels = {};
  FakeConfiguration configuration = {};
  std::int64_t created = 0;  // 0: the engine's clock
  unsigned layers = 1;
  std::string digest = {};
  std::vector<std::string> layer_ids = {};  // without its own, which is its id
};

// "sha256:…" of everything in an image except its digest: equal content has the same digest on every machine.
std::string content_digest(const FakeImage& image);

// Converts files to a tar stream and back: entries are named without the leading "/", folders come before
// their content.
std::string tar_of(const FakeFiles& files);
FakeFiles files_in(const std::string& tar);
// Throws EngineError if it cannot be read.
FakeFiles files_in(const fs::path& tar_file);

// `path` with the symlinks of its folders resolved, as by the kernel inside the container. The last component
// is resolved only with `last`. Throws EngineError if they form a loop.
std::string followed(const FakeFiles& files, const std::string& path, bool last = false);
// Whether `path` is that folder or below it.
bool lies_below(const std::string& path, const std::string& folder);
// Adds files, as unpacking a tar file over the existing ones does.
void unpack(FakeFiles& files, const FakeFiles& added);

}  // namespace stagemake
