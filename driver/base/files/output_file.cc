#include "base/files/output_file.h"

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

#include "base/error.h"
#include "base/files/descriptor.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr int kMostLinks = 40;  // the kernel's own limit

Error cannot_write(const fs::path& path, int why) {
  return engine_unusable(
      fmt::format("{}: cannot be written: {}", printable(path.string()), write_failure(why)));
}

// The file that a path refers to.
struct Target {
  fs::path path;
  bool is_descriptor = false;  // `path` is in a /proc/…/fd: the text of its link is not a path
  int own = -1;                // this process's descriptor, if it is one
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
    if (failed) return target;  // does not exist yet; for other reasons, a later call reports the error
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

// Creates a file beside `path` with an unused name. Not open, with errno set, if that fails.
Descriptor open_beside(const fs::path& path, std::string& name) {
  for (int tries = 0; tries < 100; ++tries) {
    unsigned number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) number = static_cast<unsigned>(tries);
    name = (path.parent_path() / fmt::format(".stagemake-{:08x}", number)).string();
    int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return Descriptor(fd);
  }
  return Descriptor();
}

// Copies owner and mode from another file. 0, or the errno.
int take_owner_and_mode(int file, const struct stat& other) {
  // Not every caller may change the owner. The mode comes last, because a change of owner clears bits of it.
  if (::fchown(file, other.st_uid, other.st_gid) != 0) (void)!::fchown(file, -1U, other.st_gid);
  return ::fchmod(file, other.st_mode & 07777) != 0 ? errno : 0;
}

// Reserves space for a file that will be overwritten. 0, or the errno; then the file is as it was.
int reserve(int file, std::uint64_t size, off_t before) {
  if (size == 0) return 0;
  int failed = ::posix_fallocate(file, 0, static_cast<off_t>(size));
  if (failed == 0 || failed == EOPNOTSUPP || failed == EINVAL) return 0;  // not every file system can do this
  (void)!::ftruncate(file, before);
  return failed;
}

// Errors after which a file that cannot be replaced may still be writable.
bool refuses_new_files(int why) {
  return why == EACCES || why == EPERM || why == EROFS || why == EBUSY || why == EXDEV;
}

void make_folder_of(const fs::path& path) {
  if (path.parent_path().empty()) return;
  boost::system::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed)
    throw engine_unusable(fmt::format("{}: cannot make this folder: {}",
                                      printable(path.parent_path().string()), failed.message()));
}

}  // namespace

bool is_standard_output(const fs::path& path) {
  return path == "-";
}

OutputFile::OutputFile(const fs::path& path, std::optional<std::uint64_t> size) : named_(path) {
  if (is_standard_output(path)) {
    named_ = "standard output";
    descriptor_ = STDOUT_FILENO;
  } else {
    make_folder_of(path);
    Target target = target_of(path);
    target_ = target.path;
    if (target.own < 0 && !target.is_descriptor) make_folder_of(target_);  // for a dangling link
    struct stat facts {};
    bool exists = ::stat(target_.c_str(), &facts) == 0;
    if (!exists && errno != ENOENT) throw cannot_write(path, errno);
    if (exists && S_ISDIR(facts.st_mode))
      throw bad_input(printable(path.string()), "is a folder, not a file");
    if (exists && S_ISSOCK(facts.st_mode) && target.own < 0)
      throw bad_input(
          printable(path.string()),
          "is a socket; write to standard output (-) and pipe that to a program which connects to it");
    bool is_regular = exists && S_ISREG(facts.st_mode);
    if (target.own >= 0) {
      descriptor_ = target.own;
    } else if (target.is_descriptor || (exists && !is_regular)) {
      opened_ =
          Descriptor(::open(target_.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | (is_regular ? O_TRUNC : 0)));
      if (!opened_.is_open()) throw cannot_write(path, errno);
    } else {
      opened_ = open_beside(target_, temporary_);
      if (!opened_.is_open()) {
        temporary_.clear();
        if (!exists || !refuses_new_files(errno)) throw cannot_write(path, errno);
        before_ = facts.st_size;
        open_in_place(size);
      }
    }
    if (opened_.is_open()) descriptor_ = opened_.get();
  }
  if (descriptor_ == STDOUT_FILENO && std::fflush(stdout) != 0)  // keeps the order with earlier printed text
    throw cannot_write(named_, errno);
}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::open_in_place(std::optional<std::uint64_t> size) {
  opened_ = Descriptor(::open(target_.c_str(), O_WRONLY | O_CLOEXEC));
  if (!opened_.is_open()) throw cannot_write(named_, errno);
  if (int failed = size ? reserve(opened_.get(), *size, static_cast<off_t>(*before_)) : 0; failed != 0)
    throw cannot_write(named_, failed);
}

void OutputFile::write(std::string_view content) {
  if (int failed = write_all(descriptor_, content); failed != 0) throw cannot_write(named_, failed);
}

// Copies the content of the temporary file into the target, which stays in place. 0, or the errno.
int OutputFile::overwrite_with_temporary() {
  Descriptor file(::open(target_.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat before {
  }, wanted{};
  if (!file.is_open() || ::fstat(file.get(), &before) != 0 || ::fstat(descriptor_, &wanted) != 0)
    return errno;
  if (int failed = reserve(file.get(), static_cast<std::uint64_t>(wanted.st_size), before.st_size);
      failed != 0)
    return failed;
  std::string piece(1 << 20, '\0');
  for (off_t at = 0; at < wanted.st_size;) {
    ssize_t n = ::pread(descriptor_, piece.data(), piece.size(), at);
    if (n <= 0) return n == 0 ? EIO : errno;
    if (int failed = write_all(file.get(), std::string_view(piece).substr(0, static_cast<std::size_t>(n))))
      return failed;
    at += n;
  }
  return ::ftruncate(file.get(), wanted.st_size) != 0 || ::fsync(file.get()) != 0 ? errno : 0;
}

void OutputFile::finish() {
  int failed = 0;
  if (!temporary_.empty()) {
    struct stat old {};
    bool exists = ::stat(target_.c_str(), &old) == 0;
    if (exists) failed = take_owner_and_mode(descriptor_, old);
    if (failed == 0 && ::fsync(descriptor_) != 0) failed = errno;
    if (failed == 0 && ::rename(temporary_.c_str(), target_.c_str()) != 0) failed = errno;
    if (failed == 0) temporary_.clear();
    if (exists && refuses_new_files(failed)) failed = overwrite_with_temporary();
  } else if (before_) {
    off_t end = ::lseek(descriptor_, 0, SEEK_CUR);
    if (end < 0 || ::ftruncate(descriptor_, end) != 0 || ::fsync(descriptor_) != 0) failed = errno;
  }
  if (failed != 0) throw cannot_write(named_, failed);
}

void write_output(const fs::path& path, std::string_view content) {
  OutputFile file(path, content.size());
  file.write(content);
  file.finish();
}

}  // namespace stagemake
