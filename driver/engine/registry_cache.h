// Configs of images, kept by digest in a folder: what they say cannot change. A file is believed when its
// content has its digest; losing one, or not being able to write it, costs time only.
// Of more than kMost files the oldest go.
//
// Thread rule: one thread; any number of processes may share the folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace stagemake {

class RegistryCache {
 public:
  static constexpr std::size_t kMost = 10'000;

  // `folder` empty: nothing is kept.
  explicit RegistryCache(fs::path folder) : folder_(std::move(folder)) {}

  // `digest` is "sha256:…", checked by is_sha256.
  std::optional<std::string> find(const std::string& digest);
  void keep(const std::string& digest, std::string_view content);
  // Removes what is too much, where something was kept since the last call.
  void trim(std::size_t most = kMost);

 private:
  fs::path place(const std::string& digest) const;

  fs::path folder_;
  bool is_made_ = false;
  bool has_grown_ = false;
};

}  // namespace stagemake
