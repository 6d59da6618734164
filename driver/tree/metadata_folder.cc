#include "tree/metadata_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr const char* kFolder = "build/pkgs";
constexpr int kFileFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr std::size_t kFirstBuffer = 64u << 10;  // bytes; no metadata file of a real tree needs a second read

FolderEntry::Kind kind_of(unsigned char type, int folder, const char* name) {
  if (type == DT_UNKNOWN) {  // some file systems do not report the type
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

// Whether all bytes are ASCII, checked eight at a time: nearly all metadata is, and then needs no decoding.
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
    : tree_(tree), pkgs_(tree_.open(kFolder, O_RDONLY | O_DIRECTORY)), faults_(faults) {
  if (pkgs_.is_open()) return;
  if (errno == ENOENT || errno == ENOTDIR)
    faults_.add(kFolder, fmt::format("no such folder in {}: this is not the root of a distribution's tree",
                                     printable(tree.string())));
  else if (errno == EXDEV)
    faults_.add(kFolder, "leads out of the tree and is not read");
  else
    faults_.add(kFolder, fmt::format("cannot be read: {}", std::strerror(errno)));
}

void MetadataFolder::fault(std::string_view path, std::string what) {
  faults_.add(fmt::format("{}/{}", kFolder, printable(path)), std::move(what));
}

std::optional<std::vector<FolderEntry>> MetadataFolder::entries(const std::string& path, Descriptor folder) {
  int number = folder.get();
  std::unique_ptr<DIR, int (*)(DIR*)> stream(number < 0 ? nullptr : ::fdopendir(number), ::closedir);
  if (!stream) {
    // Not a folder, so not a package.
    if (errno != ENOENT && errno != ENOTDIR)
      fault(path, fmt::format("cannot be read: {}", std::strerror(errno)));
    return std::nullopt;
  }
  folder.release();
  std::vector<FolderEntry> result;
  result.reserve(16);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      result.push_back({std::string(name), kind_of(entry->d_type, number, entry->d_name)});
  }
  if (errno != 0) fault(path, fmt::format("cannot be read: {}", std::strerror(errno)));
  return result;
}

std::vector<FolderEntry> MetadataFolder::folders() {
  Descriptor all(::openat(pkgs_.get(), ".", kFolderFlags));
  std::vector<FolderEntry> result = entries(".", std::move(all)).value_or(std::vector<FolderEntry>());
  std::erase_if(result, [](const FolderEntry& entry) {
    return entry.kind != FolderEntry::Kind::Folder && entry.kind != FolderEntry::Kind::Link;
  });
  std::sort(result.begin(), result.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return result;
}

std::vector<FolderEntry> MetadataFolder::listing(const FolderEntry& folder) {
  // A link to a folder is a package if it stays in the tree. A link to nowhere or to a file is not.
  Descriptor opened = folder.kind == FolderEntry::Kind::Link
                          ? open_link(folder.name, O_RDONLY | O_DIRECTORY, true)
                          : Descriptor(::openat(pkgs_.get(), folder.name.c_str(), kFolderFlags | O_NOFOLLOW));
  if (!opened.is_open() && folder.kind == FolderEntry::Kind::Link) return {};
  return entries(folder.name, std::move(opened)).value_or(std::vector<FolderEntry>());
}

Descriptor MetadataFolder::open_link(const std::string& where, int flags, bool may_be_absent) {
  Descriptor opened = tree_.open(fmt::format("{}/{}", kFolder, where), flags);
  if (opened.is_open()) return opened;
  bool absent = errno == ENOENT || errno == ENOTDIR;
  if (!absent || !may_be_absent)
    fault(where, absent           ? "is a link that leads nowhere"
                 : errno == ELOOP ? "is a link in a loop of links"
                 : errno == EXDEV ? "is a link that leads out of the tree: a container would not have it"
                                  : fmt::format("cannot be read: {}", std::strerror(errno)));
  return opened;
}

std::optional<std::string_view> MetadataFolder::read(std::string_view package, const FolderEntry& file) {
  path_.assign(package).append("/").append(file.name);
  if (file.kind == FolderEntry::Kind::Folder || file.kind == FolderEntry::Kind::Other) {
    fault(path_, "is not a regular file");
    return std::nullopt;
  }
  // (The folder may be a link; then listing() has checked its target.)
  if (file.kind == FolderEntry::Kind::File)
    return read_from(Descriptor(::openat(pkgs_.get(), path_.c_str(), kFileFlags | O_NOFOLLOW)), true, false);
  Descriptor linked = open_link(path_, kFileFlags, false);
  return linked.is_open() ? read_from(std::move(linked), false, false) : std::nullopt;
}

std::optional<std::string_view> MetadataFolder::read_below(std::string_view package,
                                                           const FolderEntry& folder, std::string_view file) {
  path_.assign(package).append("/").append(folder.name).append("/").append(file);
  Descriptor opened = open_link(path_, kFileFlags, true);
  return opened.is_open() ? read_from(std::move(opened), false, true) : std::nullopt;
}

// `regular`: known to be a regular file, so that no stat is needed.
std::optional<std::string_view> MetadataFolder::read_from(Descriptor file, bool regular, bool may_be_absent) {
  if (!file.is_open()) {
    if (!may_be_absent || (errno != ENOENT && errno != ENOTDIR))
      fault(path_, fmt::format("cannot be read: {}", std::strerror(errno)));
    return std::nullopt;
  }
  std::optional<std::string_view> content = read_open(file, regular);
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

std::optional<std::string_view> MetadataFolder::read_open(const Descriptor& file, bool regular) {
  auto failed = [&](std::string what) {
    fault(path_, std::move(what));
    return std::nullopt;
  };
  struct stat facts {};
  if (!regular && (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)))
    return failed("is not a regular file");
  if (buffer_.empty()) buffer_.resize(kFirstBuffer);
  std::size_t have = 0;
  while (true) {
    if (have == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    std::size_t room = buffer_.size() - have;
    ssize_t got = ::read(file.get(), buffer_.data() + have, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(fmt::format("cannot be read: {}", std::strerror(errno)));
    have += static_cast<std::size_t>(got);
    if (have > kMetadataLimit)
      return failed(
          fmt::format("is larger than {}, which is too large for metadata", size_text(kMetadataLimit)));
    // A short read of a regular file means its end; this saves a call for each of thousands of files.
    if (static_cast<std::size_t>(got) < room) return std::string_view(buffer_.data(), have);
  }
}

}  // namespace stagemake
