#include "plan/metadata_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kFirstBuffer = 64u << 10;  // bytes; no metadata file of a real tree needs a second read

FolderEntry::Kind kind_of(unsigned char type, int folder, const char* name) {
  if (type == DT_UNKNOWN) {  // some file systems do not say
    struct stat facts {};
    if (::fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0) return FolderEntry::Kind::Other;
    type = static_cast<unsigned char>(IFTODT(facts.st_mode));
  }
  switch (type) {
    case DT_REG:
      return FolderEntry::Kind::File;
    case DT_DIR:
      return FolderEntry::Kind::Folder;
    case DT_LNK:
      return FolderEntry::Kind::Link;
    default:
      return FolderEntry::Kind::Other;
  }
}

// Whether all bytes are ASCII, eight at a time: nearly all metadata is, and need not be decoded then.
bool is_ascii(std::string_view text) {
  while (text.size() >= 8) {
    std::uint64_t bytes;
    std::memcpy(&bytes, text.data(), 8);
    if (bytes & 0x8080808080808080u) return false;
    text.remove_prefix(8);
  }
  return std::none_of(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
}

}  // namespace

const FolderEntry* find_entry(const std::vector<FolderEntry>& listing, std::string_view name) {
  for (const FolderEntry& entry : listing)
    if (entry.name == name) return &entry;
  return nullptr;
}

MetadataFolder::MetadataFolder(const fs::path& tree, Faults& faults)
    : pkgs_((tree / "build/pkgs").string() + "/"), faults_(faults) {
  descriptor_ = ::open(pkgs_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int why = errno;
  tree_descriptor_ = ::open(tree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  errno = why;
  if (descriptor_ >= 0) return;
  if (errno == ENOENT || errno == ENOTDIR)
    faults_.add("build/pkgs",
                fmt::format("no such folder in {}: this is not the root of a distribution's tree",
                            printable(tree.string())));
  else
    faults_.add("build/pkgs", fmt::format("cannot be read: {}", std::strerror(errno)));
}

MetadataFolder::~MetadataFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (tree_descriptor_ >= 0) ::close(tree_descriptor_);
}

void MetadataFolder::fault(std::string_view path, std::string what) {
  faults_.add("build/pkgs/" + printable(path), std::move(what));
}

std::optional<std::vector<FolderEntry>> MetadataFolder::entries(const std::string& path) {
  int folder = ::openat(descriptor_, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) {
    // A link to nowhere or to a file is no package.
    if (errno != ENOENT && errno != ENOTDIR)
      fault(path, fmt::format("cannot be read: {}", std::strerror(errno)));
    return std::nullopt;
  }
  std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(folder), ::closedir);
  if (!stream) {
    fault(path, fmt::format("cannot be read: {}", std::strerror(errno)));
    ::close(folder);
    return std::nullopt;
  }
  std::vector<FolderEntry> result;
  result.reserve(16);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      result.push_back({std::string(name), kind_of(entry->d_type, folder, entry->d_name)});
  }
  if (errno != 0) fault(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  return result;
}

std::vector<FolderEntry> MetadataFolder::folders() {
  std::vector<FolderEntry> result = entries(".").value_or(std::vector<FolderEntry>());
  std::erase_if(result, [](const FolderEntry& entry) {
    return entry.kind != FolderEntry::Kind::Folder && entry.kind != FolderEntry::Kind::Link;
  });
  std::sort(result.begin(), result.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return result;
}

std::vector<FolderEntry> MetadataFolder::listing(const FolderEntry& folder) {
  std::vector<FolderEntry> result = entries(folder.name).value_or(std::vector<FolderEntry>());
  // A link to a folder is a package of its own, if it stays in the tree.
  if (folder.kind == FolderEntry::Kind::Link && find_entry(result, "type") != nullptr &&
      !leads_into_tree(folder.name, false))
    result.clear();
  return result;
}

bool MetadataFolder::leads_into_tree(std::string_view where, bool may_be_absent) {
  // One call where the kernel can say it; resolving the path takes ten.
  int there =
      open_beneath(tree_descriptor_, ("build/pkgs/" + std::string(where)).c_str(), O_PATH | O_CLOEXEC);
  if (there >= 0) {
    ::close(there);
    return true;
  }
  if (may_be_absent && (errno == ENOENT || errno == ENOTDIR)) return false;
  auto resolved = [](const std::string& path) {
    std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    return real ? std::string(real.get()) : std::string();
  };
  if (tree_.empty()) {
    tree_ = resolved(pkgs_ + "../..");
    if (!tree_.ends_with('/')) tree_ += '/';
  }
  std::string target = resolved(pkgs_ + std::string(where));
  if (target.empty()) {
    int reason = errno;
    bool absent = reason == ENOENT || reason == ENOTDIR;
    if (!absent || !may_be_absent)
      fault(where, absent            ? "is a link that leads nowhere"
                   : reason == ELOOP ? "is a link in a loop of links"
                                     : fmt::format("cannot be read: {}", std::strerror(reason)));
    return false;
  }
  if (target.starts_with(tree_)) return true;
  fault(where, fmt::format("is a link that leads out of the tree, to {}: a container would not have it",
                           printable(target)));
  return false;
}

std::optional<std::string_view> MetadataFolder::read(std::string_view package, const FolderEntry& file) {
  path_.assign(package).append("/").append(file.name);
  if (file.kind == FolderEntry::Kind::Folder || file.kind == FolderEntry::Kind::Other) {
    fault(path_, "is no regular file");
    return std::nullopt;
  }
  if (file.kind == FolderEntry::Kind::Link && !leads_into_tree(path_, false)) return std::nullopt;
  return read_path(file.kind == FolderEntry::Kind::File, false);
}

std::optional<std::string_view> MetadataFolder::read_below(std::string_view package,
                                                           const FolderEntry& folder, std::string_view file) {
  path_.assign(package).append("/").append(folder.name).append("/").append(file);
  struct stat facts {};
  bool plain = folder.kind == FolderEntry::Kind::Folder &&
               ::fstatat(descriptor_, path_.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
               !S_ISLNK(facts.st_mode);
  if (!plain && !leads_into_tree(path_, true)) return std::nullopt;
  return read_path(false, true);
}

// `regular`: known to be a regular file, so that this need not be asked.
std::optional<std::string_view> MetadataFolder::read_path(bool regular, bool may_be_absent) {
  int file = ::openat(descriptor_, path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    if (!may_be_absent || (errno != ENOENT && errno != ENOTDIR))
      fault(path_, fmt::format("cannot be read: {}", std::strerror(errno)));
    return std::nullopt;
  }
  std::optional<std::string_view> content = read_open(file, regular);
  ::close(file);
  if (!content || is_ascii(*content)) return content;
  unsigned number = 0;
  for (std::string_view line : lines(*content)) {
    ++number;
    if (is_utf8(line)) continue;
    fault(fmt::format("{}:{}", path_, number),
          fmt::format("is not UTF-8: {}", printable(line.substr(0, 60))));
    return std::nullopt;
  }
  return content;
}

std::optional<std::string_view> MetadataFolder::read_open(int file, bool regular) {
  auto failed = [&](std::string what) {
    fault(path_, std::move(what));
    return std::nullopt;
  };
  struct stat facts {};
  if (!regular && (::fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)))
    return failed("is no regular file");
  if (buffer_.empty()) buffer_.resize(kFirstBuffer);
  std::size_t have = 0;
  while (true) {
    if (have == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    std::size_t room = buffer_.size() - have;
    ssize_t got = ::read(file, buffer_.data() + have, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(fmt::format("cannot be read: {}", std::strerror(errno)));
    have += static_cast<std::size_t>(got);
    if (have > kMetadataLimit)
      return failed(fmt::format("is larger than {}: this is no metadata", size_text(kMetadataLimit)));
    // A short read of a regular file is its end; this saves a call for each of thousands of files.
    if (static_cast<std::size_t>(got) < room) return std::string_view(buffer_.data(), have);
  }
}

}  // namespace stagemake
