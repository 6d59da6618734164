#include "base/files/beneath.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr int kMostLinks = 40;  // on the way to one file, like the kernel's limit

Descriptor failed(int why) {
  errno = why;
  return Descriptor();
}

bool is_relative_inside(const std::string& relative) {
  if (relative.starts_with('/') || relative.find('\0') != std::string::npos) return false;
  std::vector<std::string_view> parts = split(relative, '/');
  return std::find(parts.begin(), parts.end(), "..") == parts.end();
}

// Walks a path component by component. The folders from the root to the current one stay open, so that `..`
// means what it meant when they were entered.
class Steps {
 public:
  Steps(const Descriptor& root, const fs::path& root_path, int flags)
      : root_(root), root_path_(root_path), flags_(flags) {}

  Descriptor open(const std::string& path) {
    take(path);
    while (!parts_.empty()) {
      std::string part = std::move(parts_.front());
      parts_.pop_front();
      if (part.empty() || part == ".") continue;
      if (part == "..") {
        if (folders_.empty()) return failed(EXDEV);
        folders_.pop_back();
        continue;
      }
      Descriptor there(::openat(here(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
      struct stat facts {};
      if (!there.is_open() || ::fstat(there.get(), &facts) != 0) return failed(errno);
      bool is_last =
          std::all_of(parts_.begin(), parts_.end(), [](const std::string& p) { return p.empty(); });
      if (S_ISLNK(facts.st_mode) && !(is_last && (flags_ & O_NOFOLLOW) != 0)) {
        if (int why = follow(there)) return failed(why);
      } else if (S_ISDIR(facts.st_mode)) {
        folders_.push_back(std::move(there));
      } else if (!is_last) {
        return failed(ENOTDIR);
      } else {
        return Descriptor(::openat(here(), part.c_str(), flags_ | O_NOFOLLOW | O_CLOEXEC));
      }
    }
    return Descriptor(::openat(here(), ".", flags_ | O_CLOEXEC));
  }

 private:
  int here() const { return folders_.empty() ? root_.get() : folders_.back().get(); }

  // Puts the components of a path before the remaining ones.
  void take(std::string_view path) {
    std::vector<std::string_view> parts = split(path, '/');
    parts_.insert(parts_.begin(), parts.begin(), parts.end());
  }

  // 0, or the errno.
  int follow(const Descriptor& link) {
    if (++links_ > kMostLinks) return ELOOP;
    std::optional<std::string> target = link_target(link);
    if (!target) return errno;
    if (!target->starts_with('/')) {
      take(*target);
      return 0;
    }
    boost::system::error_code unknown;
    std::string root = fs::canonical(root_path_, unknown).string();
    if (unknown) return EXDEV;
    if (!root.ends_with('/')) root += '/';
    if (!(*target + "/").starts_with(root)) return EXDEV;
    folders_.clear();
    take(std::string_view(*target + "/").substr(root.size()));
    return 0;
  }

  const Descriptor& root_;
  const fs::path& root_path_;
  int flags_;
  int links_ = 0;
  std::deque<std::string> parts_;
  std::vector<Descriptor> folders_;  // below the root
};

}  // namespace

Beneath::Beneath(const fs::path& folder)
    : path_(folder), folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

Descriptor Beneath::open(const std::string& relative, int flags) const {
  if (!folder_.is_open()) return failed(ENOENT);
  if (!is_relative_inside(relative)) return failed(EXDEV);
  ::open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH;
  const char* path = relative.empty() ? "." : relative.c_str();
  Descriptor file(static_cast<int>(::syscall(SYS_openat2, folder_.get(), path, &how, sizeof how)));
  if (file.is_open() || errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP) return file;
  // An old kernel, a sandbox that does not know the call, an absolute link, or a concurrent rename.
  return open_by_steps(relative, flags);
}

Descriptor Beneath::open_by_steps(const std::string& relative, int flags) const {
  if (!folder_.is_open()) return failed(ENOENT);
  if (!is_relative_inside(relative)) return failed(EXDEV);
  return Steps(folder_, path_, flags).open(relative);
}

std::optional<std::string> Beneath::read(const std::string& relative, std::size_t limit) const {
  Descriptor file;
  if (relative.empty())
    errno = EXDEV;
  else
    file = open(relative, O_RDONLY | O_NONBLOCK);
  if (file.is_open()) return read_open(file, path_ / relative, limit);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  if (errno == EXDEV) throw bad_input(printable(relative), "leads out of the tree and is not read");
  throw cannot_read(path_ / relative);
}

bool Beneath::exists(const std::string& relative) const {
  return !relative.empty() && open(relative, O_PATH).is_open();
}

std::vector<std::string> Beneath::names(const std::string& relative) const {
  Descriptor folder = open(relative, O_RDONLY | O_DIRECTORY);
  if (!folder.is_open()) return {};
  std::vector<std::string> names = names_in(std::move(folder)).value_or(std::vector<std::string>());
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::vector<std::string>> names_in(Descriptor folder) {
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(folder.get()), ::closedir);
  if (!stream) return std::nullopt;
  folder.release();
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::nullopt;
  return names;
}

std::optional<std::string> link_target(const Descriptor& link) {
  std::string target(PATH_MAX, '\0');
  ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size < 0) return std::nullopt;
  target.resize(static_cast<std::size_t>(size));
  return target;
}

std::optional<std::string> read_inside(const fs::path& folder, const std::string& relative,
                                       std::size_t limit) {
  return Beneath(folder).read(relative, limit);
}

bool exists_inside(const fs::path& folder, const std::string& relative) {
  return Beneath(folder).exists(relative);
}

}  // namespace stagemake
