#include "registry/registry_cache.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text/digest.h"

namespace stagemake {

namespace {
constexpr std::size_t kLargest = 8u << 20;  // bytes
}

fs::path RegistryCache::place(const std::string& digest) const {
  return folder_ / digest.substr(digest.find(':') + 1);
}

std::optional<std::string> RegistryCache::find(const std::string& digest) {
  if (folder_.empty()) return std::nullopt;
  try {
    std::optional<std::string> content = read_file(place(digest), kLargest);
    if (!content || "sha256:" + sha256_hex(*content) == digest) return content;
  } catch (const Error&) {
  }
  boost::system::error_code ignored;
  fs::remove(place(digest), ignored);
  return std::nullopt;
}

// Not with write_file: its flush to the disk would cost more than the request did, and a file truncated by a
// crash does not have its digest.
void RegistryCache::keep(const std::string& digest, std::string_view content) {
  if (folder_.empty()) return;
  boost::system::error_code failed;
  if (!is_made_) {
    try {
      make_own_folder(folder_);
      keep_private(folder_, "");  // they may be from private images
    } catch (const Error&) {
      folder_.clear();
      return;
    }
    is_made_ = true;
  }
  fs::path file = place(digest);
  fs::path fresh = file;
  fresh += "." + std::to_string(::getpid()) + ".tmp";
  std::ofstream out(fresh.string(), std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (out) fs::rename(fresh, file, failed);
  has_grown_ = true;
  if (out && !failed) return;
  fs::remove(fresh, failed);
  folder_.clear();  // a full disk, or another user's folder
}

// Removes half of them, so that the next additions do not trigger it again soon.
void RegistryCache::trim(std::size_t most) {
  if (!std::exchange(has_grown_, false)) return;
  std::vector<std::pair<std::time_t, fs::path>> files;
  boost::system::error_code failed;
  for (fs::directory_iterator at(folder_, failed), end; !failed && at != end; at.increment(failed)) {
    boost::system::error_code gone;
    files.emplace_back(fs::last_write_time(at->path(), gone), at->path());
  }
  if (files.size() <= most) return;
  std::sort(files.begin(), files.end());
  files.resize(files.size() - most / 2);
  for (const auto& [time, file] : files) fs::remove(file, failed);
}

}  // namespace stagemake
