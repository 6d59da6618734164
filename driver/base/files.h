// Files: reading whole ones with a bound, writing them so that a reader never sees half, locks that die with
// their holder. Paths are Boost.Filesystem's. What others name in a tree is read through base/beneath.h.
#pragma once

#include <boost/filesystem.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/error.h"

namespace stagemake {

namespace fs = boost::filesystem;

inline constexpr std::size_t kMetadataLimit = 4u << 20;  // bytes; no metadata file of a real tree is near it

// The content of a file; nothing where there is none (also where a folder on the way is missing).
// Throws Error (BadInput, with the path) where it cannot be read or holds more than `limit` bytes.
std::optional<std::string> read_file(const fs::path& path, std::size_t limit = kMetadataLimit);

// The content of a file that is open for reading; `path` is what errors call it. Same errors, also where it is no regular
// file.
std::string read_open(const Descriptor& file, const fs::path& path, std::size_t limit = kMetadataLimit);
// The error of a file that cannot be read, with the reason that errno gives.
Error cannot_read(const fs::path& path);

// Makes a folder of stagemake's own, with those above it that are missing, each for its user alone: 0700, whatever the
// umask. A folder that is there stays as it is, but must be the caller's or root's. Throws Error: BadInput where it is
// another's, EngineUnusable where it cannot be made.
void make_own_folder(const fs::path& folder);

// Sees to it that nobody else can read or change what lies in a folder of stagemake's own; nothing where there is none. One
// of the caller's gets the mode 0700; under sudo that goes for the folders of whoever called sudo, too. Throws Error
// (BadInput, with `advice`) where it is another user's, root's excepted, or stays open to others for writing, as /tmp.
void keep_private(const fs::path& folder, const std::string& advice);

// The same of user_cache_folder(): labels of images are believed from there.
void keep_cache_private();

// For files of stagemake's own; what a person names for output goes to write_output (base/output_file.h).
// Writes `content` under a temporary name beside `path`, flushes it, and renames it into place: a reader,
// also after a crash or on a full disk, sees the old content or the new. Only its user can read it (0600). Makes the
// folder, by make_own_folder(). Throws Error (EngineUnusable: the world is broken, not the input) with the reason.
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

// An exclusive lock on a file (flock): the kernel drops it when its holder ends, however it ends. Who can open the file can
// hold it: it is its user's alone (0600), in a folder that make_own_folder() makes.
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
