// Cache of image configs by digest, in a folder. A config never changes, and a file is used only if its
// content has its digest. Losing a file, or not being able to write it, only costs time. If there are more
// than kMost files, the oldest are removed.
//
// Thread rule: one thread; any number of processes may share the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/files/files.h"

namespace stagemake {

class RegistryCache {
 public:
  static constexpr std::size_t kMost = 10'000;

  // If `folder` is empty, nothing is kept.
  explicit RegistryCache(fs::path folder) : folder_(std::move(folder)) {}

  // `digest` is "sha256:…", checked by is_sha256.
  std::optional<std::string> find(const std::string& digest);
  void keep(const std::string& digest, std::string_view content);
  // Removes the oldest files above `most`, if anything was added since the last call.
  void trim(std::size_t most = kMost);

 private:
  fs::path place(const std::string& digest) const;

  fs::path folder_;
  bool is_made_ = false;
  bool has_grown_ = false;
};

}  // namespace stagemake
