#include "base/files/tarball.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/digest.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kBlock = 64u << 10;

struct EntryFree {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, EntryFree>;

}  // namespace

struct TarWriter::State {
  std::string path;
  Descriptor file = Descriptor();
  bool discards = false;  // libarchive's remaining output is not written to the file
  archive* out = archive_write_new();

  explicit State(const fs::path& name) : path(name.string()) {
    file = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.is_open()) return;
    Error error = cannot_write(std::strerror(errno));
    archive_write_free(out);
    throw error;
  }
  ~State() {
    // Freeing closes the archive, and closing writes the end marks, so that half an archive would look
    // complete.
    discards = true;
    archive_write_free(out);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Error cannot_write(const char* why) const {
    return engine_unusable(
        fmt::format("{}: cannot be written: {}", printable(path), why == nullptr ? "unknown reason" : why));
  }
  void check(int result) {
    if (result != ARCHIVE_OK) throw cannot_write(archive_error_string(out));
  }
  static la_ssize_t take(archive* out, void* self, const void* bytes, size_t size) {
    auto* state = static_cast<State*>(self);
    const char* at = static_cast<const char*>(bytes);
    for (size_t left = state->discards ? 0 : size; left > 0;) {
      ssize_t n = ::write(state->file.get(), at, left);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        archive_set_error(out, errno, "%s", std::strerror(errno));
        return -1;
      }
      at += n;
      left -= static_cast<size_t>(n);
    }
    return static_cast<la_ssize_t>(size);
  }
  Entry begin(const std::string& name, unsigned kind, unsigned mode, std::int64_t time) {
    Entry entry(archive_entry_new());
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), kind);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
    archive_entry_set_mtime(entry.get(), time, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    return entry;
  }
  void write(std::string_view bytes) {
    if (archive_write_data(out, bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size()))
      check(ARCHIVE_FATAL);
  }
};

TarWriter::TarWriter(const fs::path& file) : state_(std::make_unique<State>(file)) {
  archive_write_set_format_pax_restricted(state_->out);
  archive_write_set_options(state_->out, "hdrcharset=BINARY");  // names are bytes, whatever the locale
  state_->check(archive_write_open(state_->out, state_.get(), nullptr, &State::take, nullptr));
}

TarWriter::~TarWriter() = default;

void TarWriter::add_content(const std::string& name, std::string_view content, unsigned mode,
                            std::int64_t time) {
  Entry entry = state_->begin(name, AE_IFREG, mode, time);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  state_->check(archive_write_header(state_->out, entry.get()));
  state_->write(content);
}

std::string TarWriter::add_file(const std::string& name, const Descriptor& file, const fs::path& source,
                                unsigned mode, std::int64_t time) {
  int fd = file.get();
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) throw cannot_read(source);
  if (!S_ISREG(facts.st_mode)) throw bad_input(printable(source.string()), "is not a regular file");
  Entry entry = state_->begin(name, AE_IFREG, mode, time);
  archive_entry_set_size(entry.get(), facts.st_size);
  state_->check(archive_write_header(state_->out, entry.get()));
  std::array<char, kBlock> block;
  BlobDigest digest(static_cast<std::uint64_t>(facts.st_size));
  off_t left = facts.st_size;
  while (left > 0) {
    ssize_t n = ::read(fd, block.data(), std::min<std::size_t>(block.size(), static_cast<std::size_t>(left)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw bad_input(printable(source.string()),
                      "became shorter while it was being read; run the command again");
    digest.add({block.data(), static_cast<std::size_t>(n)});
    state_->write({block.data(), static_cast<std::size_t>(n)});
    left -= n;
  }
  struct stat after {};
  if (::fstat(fd, &after) != 0 || after.st_size != facts.st_size ||
      after.st_mtim.tv_sec != facts.st_mtim.tv_sec || after.st_mtim.tv_nsec != facts.st_mtim.tv_nsec)
    throw bad_input(printable(source.string()), "changed while it was being read; run the command again");
  return digest.hex();
}

void TarWriter::add_symlink(const std::string& name, const std::string& target, std::int64_t time) {
  Entry entry = state_->begin(name, AE_IFLNK, 0777, time);
  archive_entry_set_symlink(entry.get(), target.c_str());
  state_->check(archive_write_header(state_->out, entry.get()));
}

void TarWriter::add_folder(const std::string& name, unsigned mode, std::int64_t time) {
  Entry entry = state_->begin(name + "/", AE_IFDIR, mode, time);
  state_->check(archive_write_header(state_->out, entry.get()));
}

void TarWriter::close() {
  state_->check(archive_write_close(state_->out));
}

struct TarReader::State {
  std::unique_ptr<archive, int (*)(archive*)> in{archive_read_new(), archive_read_free};
  archive_entry* entry = nullptr;

  State() {
    archive_read_support_format_tar(in.get());
    archive_read_support_format_empty(in.get());
    archive_read_set_options(in.get(), "hdrcharset=BINARY");  // names are bytes, whatever the locale
  }
  void check(int result) const {
    if (result == ARCHIVE_OK) return;
    const char* why = archive_error_string(in.get());
    throw engine_unusable(fmt::format("the engine sent no tar stream: {}", why == nullptr ? "unknown" : why));
  }
};

TarReader::TarReader(std::string_view bytes) : state_(std::make_unique<State>()) {
  state_->check(archive_read_open_memory(state_->in.get(), bytes.data(), bytes.size()));
}

TarReader::TarReader(int descriptor) : state_(std::make_unique<State>()) {
  state_->check(archive_read_open_fd(state_->in.get(), descriptor, kBlock));
}

TarReader::~TarReader() = default;

std::optional<TarEntry> TarReader::next() {
  int result = archive_read_next_header(state_->in.get(), &state_->entry);
  if (result == ARCHIVE_EOF) return std::nullopt;
  if (result != ARCHIVE_WARN) state_->check(result);
  archive_entry* raw = state_->entry;
  TarEntry entry;
  const char* name = archive_entry_pathname(raw);
  entry.name = name == nullptr ? "" : name;
  entry.mode = archive_entry_perm(raw);
  entry.time = archive_entry_mtime(raw);
  entry.nanoseconds = archive_entry_mtime_nsec(raw);
  switch (archive_entry_filetype(raw)) {
    case AE_IFREG:
      entry.kind = TarEntry::Kind::File;
      break;
    case AE_IFDIR:
      entry.kind = TarEntry::Kind::Folder;
      break;
    case AE_IFLNK:
      entry.kind = TarEntry::Kind::Symlink;
      break;
    default:
      break;
  }
  if (const char* target = archive_entry_symlink(raw)) entry.content = target;
  entry.size = static_cast<std::uint64_t>(archive_entry_size(raw));
  return entry;
}

void TarReader::content(const std::function<void(std::string_view)>& sink) {
  std::array<char, kBlock> block;
  while (true) {
    la_ssize_t n = archive_read_data(state_->in.get(), block.data(), block.size());
    if (n == 0) return;
    if (n < 0) state_->check(static_cast<int>(n));
    sink({block.data(), static_cast<std::size_t>(std::max<la_ssize_t>(n, 0))});
  }
}

std::vector<TarEntry> read_tar(TarReader& tar, std::size_t content_limit) {
  std::vector<TarEntry> entries;
  while (std::optional<TarEntry> entry = tar.next()) {
    if (entry->kind == TarEntry::Kind::File && entry->size <= content_limit) {
      entry->content.reserve(entry->size);
      tar.content([&](std::string_view piece) { entry->content += piece; });
    }
    entries.push_back(*std::move(entry));
  }
  return entries;
}

std::vector<TarEntry> read_tar(std::string_view bytes, std::size_t content_limit) {
  TarReader tar(bytes);
  return read_tar(tar, content_limit);
}

namespace {

// `opens` opens the stream.
void unpack(const std::function<int(archive*)>& opens, const fs::path& folder) {
  constexpr int kHow = ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_UNLINK |
                       ARCHIVE_EXTRACT_SECURE_NODOTDOT | ARCHIVE_EXTRACT_SECURE_SYMLINKS;
  boost::system::error_code failed;
  fs::create_directories(folder, failed);
  // No link is followed below this folder; links on the way to it do not come from the stream.
  fs::path real = fs::canonical(folder, failed);
  if (failed)
    throw engine_unusable(
        fmt::format("{}: cannot unpack there: {}", printable(folder.string()), failed.message()));
  std::unique_ptr<archive, int (*)(archive*)> in(archive_read_new(), archive_read_free);
  std::unique_ptr<archive, int (*)(archive*)> out(archive_write_disk_new(), archive_write_free);
  archive_write_disk_set_options(out.get(), kHow);
  archive_read_support_format_tar(in.get());
  archive_read_support_format_empty(in.get());
  archive_read_set_options(in.get(), "hdrcharset=BINARY");
  auto fail = [&](archive* where) {
    const char* why = archive_error_string(where);
    return engine_unusable(fmt::format("{}: cannot unpack there: {}", printable(folder.string()),
                                       why == nullptr ? "unknown" : why));
  };
  if (opens(in.get()) != ARCHIVE_OK) throw fail(in.get());
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(in.get(), &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
    auto kind = archive_entry_filetype(entry);
    const char* name = archive_entry_pathname(entry);
    const char* link = archive_entry_hardlink(entry);  // a hard link has no type of its own
    if (name == nullptr || (link == nullptr && kind != AE_IFREG && kind != AE_IFDIR && kind != AE_IFLNK))
      continue;
    std::string_view relative = name;
    while (relative.starts_with('/')) relative.remove_prefix(1);
    archive_entry_set_pathname(entry, (real / std::string(relative)).c_str());
    // A hard link names another entry of the stream.
    if (link != nullptr) {
      std::string_view target = link;
      while (target.starts_with('/')) target.remove_prefix(1);
      archive_entry_set_hardlink(entry, (real / std::string(target)).c_str());
    }
    int written = archive_write_header(out.get(), entry);
    if (written == ARCHIVE_FATAL) throw fail(out.get());
    if (written < ARCHIVE_WARN && archive_errno(out.get()) == ENOSPC) throw fail(out.get());
    if (written < ARCHIVE_WARN) continue;  // its name leads out
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    int read = ARCHIVE_OK;
    while ((read = archive_read_data_block(in.get(), &block, &size, &offset)) == ARCHIVE_OK)
      if (archive_write_data_block(out.get(), block, size, offset) < ARCHIVE_OK) throw fail(out.get());
    if (read < ARCHIVE_WARN) throw fail(in.get());  // the stream ends within a file
    if (archive_write_finish_entry(out.get()) < ARCHIVE_WARN) throw fail(out.get());
  }
  if (result != ARCHIVE_EOF) throw fail(in.get());
}

}  // namespace

void unpack_tar(std::string_view bytes, const fs::path& folder) {
  unpack([&](archive* in) { return archive_read_open_memory(in, bytes.data(), bytes.size()); }, folder);
}

void unpack_tar(int descriptor, const fs::path& folder) {
  unpack([&](archive* in) { return archive_read_open_fd(in, descriptor, kBlock); }, folder);
}

}  // namespace stagemake
