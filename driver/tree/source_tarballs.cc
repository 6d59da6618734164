#include "tree/source_tarballs.h"

#include <fcntl.h>

#include <algorithm>

#include "base/error.h"
#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

// Bytes; a name may contain many VERSIONs.
constexpr std::size_t kLongestName = 255, kLongestVersion = 100;

// "1.2.3.p4" is version 1.2.3 with the distribution's fourth change.
std::string_view without_patch_level(std::string_view version) {
  std::size_t at = version.rfind(".p");
  bool is_level = at != std::string_view::npos && at + 2 < version.size() &&
                  version.find_first_not_of("0123456789", at + 2) == std::string_view::npos;
  return is_level ? version.substr(0, at) : version;
}

void replace_all(std::string& text, const std::string& what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

std::string with_version(std::string name, std::string_view version) {
  std::vector<std::string_view> parts = split(version, '.');
  parts.resize(std::max<std::size_t>(parts.size(), 3));
  // VERSION is a prefix of the others, so it comes last.
  for (const auto& [variable, value] : {std::pair<std::string, std::string_view>("VERSION_MAJOR", parts[0]),
                                        {"VERSION_MINOR", parts[1]},
                                        {"VERSION_MICRO", parts[2]},
                                        {"VERSION", version}}) {
    replace_all(name, "${" + variable + "}", value);
    replace_all(name, variable, value);
  }
  return name;
}

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

void read_checksums(std::string_view text, std::string_view version,
                    std::map<std::string, StatedChecksum>& tarballs) {
  std::string_view tarball, sha1, sha256;
  auto end_section = [&] {
    bool is_short = tarball.size() <= kLongestName && version.size() <= kLongestVersion;
    std::string name =
        is_short ? with_version(std::string(tarball), without_patch_level(version)) : std::string();
    if (!name.empty() && name.find('/') == std::string::npos) {
      if (is_hex(sha256, 64))
        tarballs[name] = {Checksum::Sha256, std::string(sha256)};
      else if (is_hex(sha1, 40))
        tarballs[name] = {Checksum::Sha1, std::string(sha1)};
    }
    tarball = sha1 = sha256 = {};
  };
  for (std::string_view line : lines(text)) {
    if (line.starts_with('[')) end_section();
    std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view name = line.substr(0, equals), value = trimmed(line.substr(equals + 1));
    if (name == "tarball") tarball = value;
    if (name == "sha1") sha1 = value;
    if (name == "sha256") sha256 = value;
  }
  end_section();
}

std::vector<SourceFile> stated_among(const std::vector<SourceFile>& files,
                                     const std::vector<SourceFile>& metadata, const fs::path& root) {
  Beneath tree(root);
  std::map<std::string, StatedChecksum> stated;
  for (const SourceFile& file : metadata) {
    constexpr std::string_view kName = "/checksums.ini";
    if (!file.path.ends_with(kName) || file.kind == SourceFile::Kind::Symlink) continue;
    std::string package = file.path.substr(0, file.path.size() - kName.size());
    std::string version = tree.read(package + "/package-version.txt").value_or("");
    read_checksums(tree.read(file.path).value_or(""), trimmed(version), stated);
  }
  std::vector<SourceFile> right;
  for (const SourceFile& file : files) {
    auto checksum = stated.find(file.path.substr(file.path.rfind('/') + 1));
    if (checksum == stated.end() || file.kind == SourceFile::Kind::Symlink) continue;
    Descriptor opened = tree.open(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!opened.is_open()) throw cannot_read(file.path);
    if (checksum_of_file(checksum->second.kind, opened, file.path) == checksum->second.hex)
      right.push_back(file);
  }
  return right;
}

}  // namespace stagemake
