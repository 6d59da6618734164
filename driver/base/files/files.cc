#include "base/files/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/process/callers_environment.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

std::string reason() {
  return std::strerror(errno);
}

Error cannot_write(const fs::path& path) {
  return engine_unusable(
      fmt::format("{}: cannot be written: {}", printable(path.string()), write_failure(errno)));
}

bool is_mine(uid_t owner) {
  if (owner == ::geteuid()) return true;
  return ::geteuid() == 0 && std::to_string(owner) == callers_variable("SUDO_UID");
}

std::string name_of(uid_t user) {
  const passwd* entry = ::getpwuid(user);
  return entry != nullptr ? printable(entry->pw_name) : fmt::format("with the number {}", user);
}

Error belongs_to_another(const fs::path& folder, uid_t owner, const std::string& advice) {
  return bad_input(
      printable(folder.string()),
      fmt::format("belongs to the user {}, who could change the files that stagemake keeps there{}{}",
                  name_of(owner), advice.empty() ? "" : ": ", advice));
}

// Makes a folder and its missing parents.
void make_folder(const fs::path& folder) {
  boost::system::error_code failed;
  if (folder.empty() || fs::is_directory(folder, failed)) return;  // a bare name: the current folder
  make_folder(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) == 0) return;
  if (errno != EEXIST || !fs::is_directory(folder, failed))
    throw engine_unusable(
        fmt::format("{}: cannot make this folder: {}", printable(folder.string()), reason()));
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

}  // namespace

std::string read_open(const Descriptor& file, const fs::path& path, std::size_t limit) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) throw cannot_read(path);
  if (!S_ISREG(facts.st_mode)) throw bad_input(printable(path.string()), "is not a regular file");
  std::string content;  // one byte more, to detect the end; a file that is too large is not read whole
  content.resize(std::min(static_cast<std::size_t>(facts.st_size), limit) + 1);
  std::size_t have = 0;
  while (true) {
    if (have > limit)
      throw bad_input(printable(path.string()),
                      fmt::format("is larger than {}, which is too large for metadata", size_text(limit)));
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
  return bad_input(printable(path.string()), "cannot be read: " + reason());
}

std::optional<std::string> read_file(const fs::path& path, std::size_t limit) {
  Descriptor file(::open(path.c_str(), kReadFlags));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw cannot_read(path);
  }
  return read_open(file, path, limit);
}

void make_own_folder(const fs::path& folder) {
  make_folder(folder);
  struct stat facts {};
  if (folder.empty() || ::stat(folder.c_str(), &facts) != 0) return;
  if (!is_mine(facts.st_uid) && facts.st_uid != 0) throw belongs_to_another(folder, facts.st_uid, "");
}

void keep_private(const fs::path& folder, const std::string& advice) {
  struct stat link {
  }, facts{};
  if (::lstat(folder.c_str(), &link) != 0)
    return;  // missing or unreachable: the code that writes there reports why
  for (const struct stat* one : {&link, &facts}) {
    if (one == &facts && ::stat(folder.c_str(), &facts) != 0) return;
    if (!is_mine(one->st_uid) && one->st_uid != 0) throw belongs_to_another(folder, one->st_uid, advice);
  }
  if (!S_ISDIR(facts.st_mode) || (facts.st_mode & 077) == 0) return;
  if (is_mine(facts.st_uid)) {
    Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    bool is_same = opened.is_open() && ::fstat(opened.get(), &facts) == 0 && is_mine(facts.st_uid);
    bool is_shared_place = (facts.st_mode & S_ISVTX) != 0;  // /tmp, for root: it stays shared
    if (is_same && !is_shared_place && ::fchmod(opened.get(), (facts.st_mode & 07700) | 0700) == 0)
      (void)::fstat(opened.get(), &facts);
  }
  if ((facts.st_mode & 022) != 0)
    throw bad_input(printable(folder.string()),
                    fmt::format("other users can write there and change the files that stagemake keeps{}{}",
                                advice.empty() ? "" : ": ", advice));
}

void keep_cache_private() {
  keep_private(user_cache_folder(), "name a folder of your own with XDG_CACHE_HOME");
}

void write_file(const fs::path& path, std::string_view content) {
  make_own_folder(path.parent_path());
  std::string temporary = path.string() + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) throw cannot_write(path);
  if ((errno = write_all(file.get(), content)) != 0 || ::fsync(file.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
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
  make_own_folder(path.parent_path());
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (file.get() < 0) throw cannot_write(path);
  (void)::fchmod(file.get(), 0600);  // for a file of an earlier version
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    throw cannot_write(path);
  }
  // The holder's name helps a waiting process; a failure to write it must not stop the work.
  std::string name = fmt::format("process {}", ::getpid());
  if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), name.data(), name.size(), 0);
  return FileLock(std::move(file));
}

std::string FileLock::holder(const fs::path& path) {
  std::optional<std::string> name = read_file(path, 4096);
  return name ? printable(trimmed(*name)) : std::string();
}

}  // namespace stagemake
