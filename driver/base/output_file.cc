#include "base/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/descriptor.h"
#include "base/error.h"
#include "base/text.h"

namespace stagemake {
namespace {

constexpr int kMostLinks = 40;  // the kernel's own bound

Error cannot_write(const fs::path& path, int why) {
  return engine_unusable(fmt::format("{}: cannot be written: {}", printable(path.string()), write_failure(why)));
}

// Where a path leads.
struct Target {
  fs::path path;
  bool is_descriptor = false;  // `path` is in a /proc/…/fd: what its link says is no path
  int own = -1;                // and it is this process's descriptor of that number
};

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 9 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

Target target_of(const fs::path& named) {
  Target target{named};
  for (int links = 0; links < kMostLinks; ++links) {
    boost::system::error_code failed;
    fs::path above = target.path.parent_path();
    fs::path folder = fs::canonical(above.empty() ? "." : above, failed);
    if (failed) return target;  // not there yet, or the system says below why not
    std::string place = folder.string();
    std::string name = target.path.filename().string();
    if (place.starts_with("/proc/") && place.ends_with("/fd") && is_number(name)) {
      target.is_descriptor = true;
      if (place.starts_with(fmt::format("/proc/{}/", ::getpid()))) target.own = std::stoi(name);
      return target;
    }
    target.path = folder / name;
    fs::path link = fs::read_symlink(target.path, failed);
    if (failed) return target;
    target.path = link.is_absolute() ? link : folder / link;
  }
  throw cannot_write(named, ELOOP);
}

// A new file beside `path`, with a name that nothing has.
Descriptor open_beside(const fs::path& path, std::string& name) {
  for (int tries = 0; tries < 100; ++tries) {
    unsigned number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) number = static_cast<unsigned>(tries);
    name = (path.parent_path() / fmt::format(".stagemake-{:08x}", number)).string();
    int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return Descriptor(fd);
  }
  return Descriptor();
}

// 0, or what went wrong; then the file is as it was.
int replace(const fs::path& path, std::string_view content, const struct stat* old) {
  std::string temporary;
  Descriptor file = open_beside(path, temporary);
  if (!file.is_open()) return errno;
  int failed = write_all(file.get(), content);
  if (failed == 0 && old != nullptr) {
    // Not every caller may give a file away. Its mode comes after it, as a new owner takes bits off it.
    if (::fchown(file.get(), old->st_uid, old->st_gid) != 0) (void)!::fchown(file.get(), -1U, old->st_gid);
    if (::fchmod(file.get(), old->st_mode & 07777) != 0) failed = errno;
  }
  if (failed == 0 && (::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0))
    failed = errno;
  if (failed != 0) ::unlink(temporary.c_str());
  return failed;
}

// The file itself gets other content. 0, or what went wrong; then the file is as it was, if its disk is full.
int overwrite(const fs::path& path, std::string_view content, const struct stat& old) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) return errno;
  auto size = static_cast<off_t>(content.size());
  if (size > 0)
    if (int failed = ::posix_fallocate(file.get(), 0, size);
        failed != 0 && failed != EOPNOTSUPP && failed != EINVAL) {  // not every file system can reserve
      (void)!::ftruncate(file.get(), old.st_size);
      return failed;
    }
  if (int failed = write_all(file.get(), content); failed != 0) return failed;
  return ::ftruncate(file.get(), size) != 0 || ::fsync(file.get()) != 0 ? errno : 0;
}

// Reasons for which a file that cannot be replaced may still be written to.
bool refuses_new_files(int why) {
  return why == EACCES || why == EPERM || why == EROFS || why == EBUSY || why == EXDEV;
}

void write_through(const fs::path& named, const Target& target, bool is_regular, std::string_view content) {
  Descriptor opened;
  int fd = target.own;
  if (fd < 0) {
    opened =
        Descriptor(::open(target.path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | (is_regular ? O_TRUNC : 0)));
    if (!opened.is_open()) throw cannot_write(named, errno);
    fd = opened.get();
  }
  if (fd == STDOUT_FILENO) std::fflush(stdout);  // what was printed before comes before
  if (int failed = write_all(fd, content); failed != 0) throw cannot_write(named, failed);
}

void make_folder_of(const fs::path& path) {
  if (path.parent_path().empty()) return;
  boost::system::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed)
    throw engine_unusable(fmt::format("{}: cannot make this folder: {}",
                                      printable(path.parent_path().string()), failed.message()));
}

void write_standard_output(std::string_view content) {
  if (std::fwrite(content.data(), 1, content.size(), stdout) != content.size() || std::fflush(stdout) != 0)
    throw cannot_write("standard output", errno);
}

}  // namespace

bool is_standard_output(const fs::path& path) {
  return path == "-";
}

void write_output(const fs::path& path, std::string_view content) {
  if (is_standard_output(path)) return write_standard_output(content);
  make_folder_of(path);
  Target target = target_of(path);
  if (target.own < 0 && !target.is_descriptor)
    make_folder_of(target.path);  // of a link that leads nowhere yet
  struct stat facts {};
  bool exists = ::stat(target.path.c_str(), &facts) == 0;
  if (!exists && errno != ENOENT) throw cannot_write(path, errno);
  if (exists && S_ISDIR(facts.st_mode)) throw bad_input(printable(path.string()), "is a folder, not a file");
  if (exists && S_ISSOCK(facts.st_mode) && target.own < 0)
    throw bad_input(
        printable(path.string()),
        "is a socket; write to standard output (-) and pipe that to a program which connects to it");
  if (target.is_descriptor || (exists && !S_ISREG(facts.st_mode)))
    return write_through(path, target, exists && S_ISREG(facts.st_mode), content);
  int failed = replace(target.path, content, exists ? &facts : nullptr);
  if (exists && refuses_new_files(failed)) failed = overwrite(target.path, content, facts);
  if (failed != 0) throw cannot_write(path, failed);
}

}  // namespace stagemake
