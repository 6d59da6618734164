#include "base/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/text.h"

namespace stagemake {
namespace {

std::string reason() {
  return std::strerror(errno);
}

Error cannot_write(const fs::path& path) {
  return engine_unusable(fmt::format("{}: cannot be written: {}", printable(path.string()), write_failure(errno)));
}

void make_folder(const fs::path& folder) {
  if (folder.empty()) return;  // of a name alone: the current one
  boost::system::error_code failed;
  fs::create_directories(folder, failed);
  if (failed)
    throw engine_unusable(
        fmt::format("{}: cannot make this folder: {}", printable(folder.string()), failed.message()));
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

}  // namespace

std::string read_open(const Descriptor& file, const fs::path& path, std::size_t limit) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw cannot_read(path);
  if (!S_ISREG(facts.st_mode)) throw bad_input(path.string(), "is no regular file");
  std::string content;  // one byte more, to see the end; not all of a file that is too large anyway
  content.resize(std::min(static_cast<std::size_t>(facts.st_size), limit) + 1);
  std::size_t have = 0;
  while (true) {
    if (have > limit)
      throw bad_input(path.string(), fmt::format("is larger than {}; this is no metadata", size_text(limit)));
    if (have == content.size()) content.resize(content.size() * 2);
    ssize_t n = ::read(file.get(), content.data() + have, content.size() - have);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw cannot_read(path);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  content.resize(have);
  return content;
}

Error cannot_read(const fs::path& path) {
  return bad_input(path.string(), "cannot be read: " + reason());
}

std::optional<std::string> read_file(const fs::path& path, std::size_t limit) {
  Descriptor file(::open(path.c_str(), kReadFlags));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw cannot_read(path);
  }
  return read_open(file, path, limit);
}

void write_file(const fs::path& path, std::string_view content) {
  make_folder(path.parent_path());
  std::string temporary = path.string() + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) throw cannot_write(path);
  if ((errno = write_all(file.get(), content)) != 0 || ::fchmod(file.get(), 0644) != 0 ||
      ::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = cannot_write(path);
    ::unlink(temporary.c_str());
    throw error;
  }
}

void append_line(const fs::path& path, std::string_view line, std::chrono::milliseconds patience) {
  make_folder(path.parent_path());
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0644));
  if (file.get() < 0 || (errno = write_all(file.get(), std::string(line) + "\n", patience)) != 0)
    throw cannot_write(path);
}

std::optional<std::uint64_t> free_bytes(const fs::path& path) {
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0) return std::nullopt;
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

TemporaryFolder::TemporaryFolder(const fs::path& parent) {
  make_folder(parent);
  std::string name = (parent / "tmp.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw cannot_write(parent);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  boost::system::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::optional<FileLock> FileLock::try_take(const fs::path& path) {
  make_folder(path.parent_path());
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() < 0) throw cannot_write(path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    throw cannot_write(path);
  }
  // The holder's name helps the one that waits; a failure to write it must not stop the work.
  std::string name = fmt::format("process {}", ::getpid());
  if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), name.data(), name.size(), 0);
  return FileLock(file.release());
}

std::string FileLock::holder(const fs::path& path) {
  std::optional<std::string> name = read_file(path, 4096);
  return name ? printable(trimmed(*name)) : std::string();
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace stagemake
