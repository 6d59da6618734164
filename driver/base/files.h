// Files: reading whole ones with a bound, writing them so that a reader never sees half, locks that die with
// their holder. Paths are Boost.Filesystem's.
#pragma once

#include <boost/filesystem.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stagemake {

namespace fs = boost::filesystem;

inline constexpr std::size_t kMetadataLimit = 4u << 20;  // bytes; no metadata file of a real tree is near it

// The content of a file; nothing where there is none (also where a folder on the way is missing).
// Throws Error (BadInput, with the path) where it cannot be read or holds more than `limit` bytes.
std::optional<std::string> read_file(const fs::path& path, std::size_t limit = kMetadataLimit);

// The same for a file below `folder` that text of others names: a path that leads out of the folder, by `..`,
// from the root, or through a symlink, is an Error (BadInput) and not read.
std::optional<std::string> read_inside(const fs::path& folder, const std::string& relative,
                                       std::size_t limit = kMetadataLimit);

// Whether there is a file, a folder or the like at that place, and inside of `folder` by the same rules.
bool exists_inside(const fs::path& folder, const std::string& relative);

// Opens a path below an open folder with the kernel's word that no part of it leads out. -1 and errno where
// it does, where there is nothing, and where the kernel is older than 5.6 (ENOSYS) or a link on the way is
// absolute (EXDEV): then nothing is known.
int open_beneath(int folder, const char* relative, int flags);

// For files of stagemake's own; what a person names for output goes to write_output (base/output_file.h).
// Writes `content` under a temporary name beside `path`, flushes it, and renames it into place: a reader,
// also after a crash or on a full disk, sees the old content or the new. Makes the folder. Throws Error
// (EngineUnusable: the world is broken, not the input) with the reason.
void write_file(const fs::path& path, std::string_view content);

// Adds one line to a file in a single write, so that lines of concurrent writers never mix. Same errors. A FIFO is an
// error where it has no reader, or one that reads nothing for as long as `patience`.
void append_line(const fs::path& path, std::string_view line,
                 std::chrono::milliseconds patience = std::chrono::seconds(5));

// What of a file system's space a user without privileges can still fill, in bytes; nothing where that cannot
// be said. `path`: any file or folder in it.
std::optional<std::uint64_t> free_bytes(const fs::path& path);

// A folder of our own that is removed with all it holds when the object goes.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// An exclusive lock on a file (flock): the kernel drops it when its holder ends, however it ends.
class FileLock {
 public:
  // Takes the lock if it is free. Nothing where another process holds it.
  static std::optional<FileLock> try_take(const fs::path& path);
  // What the holder wrote about itself (its process id and command), for "waiting for …"; empty where
  // unknown.
  static std::string holder(const fs::path& path);

  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace stagemake
