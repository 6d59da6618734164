// A cache of image descriptions that outlives the process, for engines that describe one image at a time
// (docker: 1 ms each; buildah: 30 ms). An image's id is the digest of everything that is cached, so no entry
// can become stale; names can change, and are not cached.
//
// A file with a line per image: its id, a blank, and its description in JSON, which is parsed when it is
// asked for. Losing the file, or not being able to write it, only costs time.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/container_engine.h"

namespace stagemake {

class ImageCache {
 public:
  // If `file` is empty, nothing is remembered.
  explicit ImageCache(fs::path file) : file_(std::move(file)) {}
  // In $XDG_CACHE_HOME/stagemake or ~/.cache/stagemake; empty if neither is known.
  static fs::path place(const std::string& engine);

  // Returns no names. Not for several threads at once.
  std::optional<ImageInfo> find(const std::string& id);
  void remember(const ImageInfo& image);

 private:
  void read();

  fs::path file_;
  bool is_read_ = false;
  std::map<std::string, ImageInfo> images_;
  std::map<std::string, std::string> unread_;  // descriptions in JSON, by id
};

}  // namespace stagemake
