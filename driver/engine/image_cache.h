// What images say of themselves, remembered beyond the process: an engine that must be asked for one image at
// a time (buildah: 30 ms each) is asked once for each. An image's id is the digest of all that is kept here,
// so that nothing of it can become wrong; names, which can, are not kept.
//
// A file of JSON lines, one an image. Losing it, or not being able to write it, costs time only.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/container_engine.h"

namespace stagemake {

class ImageCache {
 public:
  // `file` empty: nothing is remembered.
  explicit ImageCache(fs::path file) : file_(std::move(file)) {}
  // In $XDG_CACHE_HOME/stagemake or ~/.cache/stagemake; empty where neither is known.
  static fs::path place(const std::string& engine);

  // Without names. Not for several threads at once.
  std::optional<ImageInfo> find(const std::string& id);
  void remember(const ImageInfo& image);

 private:
  void read();

  fs::path file_;
  bool is_read_ = false;
  std::map<std::string, ImageInfo> images_;
};

}  // namespace stagemake
