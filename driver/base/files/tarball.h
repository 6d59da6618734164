// Tar streams, using libarchive: they carry files into containers and out of them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

// Writes a pax tar file. Names are relative to the folder where it will be unpacked, without a leading "/".
// Everything belongs to root. Times are whole seconds since the epoch, because not every engine keeps finer
// ones. Throws Error (EngineUnusable) if the file cannot be written, for example on a full disk.
class TarWriter {
 public:
  explicit TarWriter(const fs::path& file);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  void add_content(const std::string& name, std::string_view content, unsigned mode, std::int64_t time);
  // Adds an open file of any size, in pieces. Returns git's blob id of the bytes that went into the stream.
  // Throws Error (BadInput) if the file, which errors call `source`, cannot be read, is not regular, or
  // changes while it is read; the stream is unusable then.
  std::string add_file(const std::string& name, const Descriptor& file, const fs::path& source, unsigned mode,
                       std::int64_t time);
  void add_symlink(const std::string& name, const std::string& target, std::int64_t time);
  void add_folder(const std::string& name, unsigned mode, std::int64_t time);
  // Call this last; without it the file is incomplete.
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
  long nanoseconds = 0;    // 0 if the stream has only seconds
  std::uint64_t size = 0;  // bytes
  std::string content;     // of files up to `content_limit` bytes; the target of a symlink
};

// Reads a tar stream, entry by entry: from memory, or from a descriptor, whose content may have any size.
// Throws Error (EngineUnusable) if it is not a tar stream. The source must outlive the reader.
class TarReader {
 public:
  explicit TarReader(std::string_view bytes);
  explicit TarReader(int descriptor);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next entry, without a file's content; nothing at the end.
  std::optional<TarEntry> next();
  // The content of the file that next() returned, in pieces. Call it at most once per file.
  void content(const std::function<void(std::string_view)>& sink);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All entries. Files up to `content_limit` bytes have their content, larger ones none.
std::vector<TarEntry> read_tar(TarReader& tar, std::size_t content_limit = 1u << 20);
std::vector<TarEntry> read_tar(std::string_view bytes, std::size_t content_limit = 1u << 20);

// Unpacks a tar stream below `folder`, which is created. Nothing is written outside it: devices, and entries
// whose names or links lead out, are skipped. The caller owns the files. Throws Error (EngineUnusable) if it
// is not a tar stream or the disk is full.
void unpack_tar(std::string_view bytes, const fs::path& folder);
void unpack_tar(int descriptor, const fs::path& folder);

}  // namespace stagemake
