// Tar streams, over libarchive: how files get into a container and out of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace stagemake {

// Writes a pax tar file. Names are relative to where it will be unpacked, without a leading "/". Everything
// belongs to root. Times are whole seconds since the epoch: not every engine keeps finer ones. Throws Error
// (EngineUnusable) where the file cannot be written, as on a full disk.
class TarWriter {
 public:
  explicit TarWriter(const fs::path& file);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void add_content(const std::string& name, std::string_view content, unsigned mode, std::int64_t time);
  // Adds an open file of any size, piece by piece. Returns git's blob id of what went into the stream. Throws Error
  // (BadInput) where the file, which errors call `source`, cannot be read, is not regular, or changes while it is read;
  // the stream is of no use then.
  std::string add_file(const std::string& name, const Descriptor& file, const fs::path& source, unsigned mode,
                       std::int64_t time);
  void add_symlink(const std::string& name, const std::string& target, std::int64_t time);
  void add_folder(const std::string& name, unsigned mode, std::int64_t time);
  // Must be called last; without it the file is incomplete.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

struct TarEntry {
  std::string name;
  enum class Kind { File, Symlink, Folder, Other } kind = Kind::Other;
  unsigned mode = 0;
  std::int64_t time = 0;   // seconds since the epoch
  long nanoseconds = 0;    // finer part, 0 where the stream has none
  std::uint64_t size = 0;  // bytes
  std::string content;     // of files up to `content_limit`; the target of a symlink
};

// A tar stream, entry by entry: from memory, or from a descriptor, whose content may then be of any size. Throws Error
// (EngineUnusable) where it is no tar stream. What is read from must stay as long as the reader.
class TarReader {
 public:
  explicit TarReader(std::string_view bytes);
  explicit TarReader(int descriptor);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next entry, of a file without its content; nothing at the end.
  std::optional<TarEntry> next();
  // The content of the file that next() returned, piece by piece. May be called once for it, or not at all.
  void content(const std::function<void(std::string_view)>& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All entries. Files up to `content_limit` bytes have their content, larger ones none.
std::vector<TarEntry> read_tar(TarReader& tar, std::size_t content_limit = 1u << 20);
std::vector<TarEntry> read_tar(std::string_view bytes, std::size_t content_limit = 1u << 20);

// Unpacks a tar stream below `folder`, which is made. Nothing gets outside of it: entries whose names or
// links lead out are left out, and so are devices. Owners are the caller's. Throws Error (EngineUnusable)
// where the stream is none or the disk takes no more.
void unpack_tar(std::string_view bytes, const fs::path& folder);
void unpack_tar(int descriptor, const fs::path& folder);

}  // namespace stagemake
