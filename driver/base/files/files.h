// Files: bounded reads of whole files, writes that readers never see half done, and locks that end with their
// holder. Paths are Boost.Filesystem's. Paths that come from a tree are read through base/files/beneath.h.
#pragma once

#include <boost/filesystem.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/files/descriptor.h"

namespace stagemake {

namespace fs = boost::filesystem;

inline constexpr std::size_t kMetadataLimit = 4u << 20;  // bytes; real metadata files are far smaller

// The content of a file; nothing if it does not exist (or a folder on the way does not). Throws Error
// (BadInput, with the path) if it cannot be read or holds more than `limit` bytes.
std::optional<std::string> read_file(const fs::path& path, std::size_t limit = kMetadataLimit);

// The content of a file that is open for reading; errors call it `path`. Same errors, also if it is not a
// regular file.
std::string read_open(const Descriptor& file, const fs::path& path, std::size_t limit = kMetadataLimit);
// The error for a file that cannot be read, with the reason from errno.
Error cannot_read(const fs::path& path);

// Makes one of stagemake's own folders and its missing parents, each with mode 0700, whatever the umask. An
// existing folder is left as it is, but must belong to the caller or root. Throws Error: BadInput if it
// belongs to another user, EngineUnusable if it cannot be made.
void make_own_folder(const fs::path& folder);

// Ensures that no other user can read or change the contents of one of stagemake's own folders; does nothing
// if the folder does not exist. The caller's folder gets mode 0700; under sudo, so do folders of the user who
// called sudo. Throws Error (BadInput, with `advice`) if the folder belongs to another user (except root) or
// stays writable by others, like /tmp.
void keep_private(const fs::path& folder, const std::string& advice);

// The same for user_cache_folder(), because image labels read from there are trusted.
void keep_cache_private();

// For stagemake's own files; use write_output (base/files/output_file.h) for output files that a person
// names. Writes `content` under a temporary name beside `path`, flushes it, and renames it. So a reader sees
// the old content or the new, even after a crash or on a full disk. Only its user can read the file (0600).
// Makes the folder with make_own_folder(). Throws Error (EngineUnusable, as the input is not at fault) with
// the reason.
void write_file(const fs::path& path, std::string_view content);

// Appends one line to a file in a single write, so that lines of concurrent writers never mix. Same errors. A
// FIFO is an error if it has no reader, or if its reader reads nothing for `patience`.
void append_line(const fs::path& path, std::string_view line,
                 std::chrono::milliseconds patience = std::chrono::seconds(5));

// The free space of a file system for a user without privileges, in bytes; nothing if unknown. `path`: any
// file or folder in it.
std::optional<std::uint64_t> free_bytes(const fs::path& path);

// A new folder that is removed with its content when the object is destroyed.
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

// An exclusive lock on a file (flock). The kernel releases it when its holder ends, in whatever way. Anybody
// who can open the file can hold the lock, so only its user can (0600), in a folder made by
// make_own_folder().
class FileLock {
 public:
  // Takes the lock if it is free. Nothing if another process holds it.
  static std::optional<FileLock> try_take(const fs::path& path);
  // What the holder wrote about itself (its process id and command), for "waiting for …"; empty if unknown.
  static std::string holder(const fs::path& path);

 private:
  explicit FileLock(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

}  // namespace stagemake
