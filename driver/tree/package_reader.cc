#include "tree/package_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kTypeWords = "base, standard, optional or experimental";

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

std::string_view without_comment(std::string_view line) {
  return trimmed(line.substr(0, line.find('#')));
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '+';
}

// The tool of 2026 removes the patch level (".p1") and adds it again as a number; the rest after it is lost.
std::string normalized_version(std::string_view version) {
  for (std::size_t at = version.rfind(".p"); at != std::string_view::npos && at > 0;
       at = version.rfind(".p", at - 1)) {
    std::size_t first = at + 2;
    std::size_t end = first;
    while (end < version.size() && version[end] >= '0' && version[end] <= '9') ++end;
    if (end == first) continue;
    while (first + 1 < end && version[first] == '0') ++first;
    return fmt::format("{}.p{}", version.substr(0, at), version.substr(first, end - first));
  }
  return std::string(version);
}

// The first word of the first line that is neither empty nor a comment.
std::string_view first_word(std::string_view text) {
  for (std::string_view line : lines(text)) {
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) continue;
    return words(line).front();
  }
  return {};
}

}  // namespace

std::optional<std::string_view> PackageReader::content(const Listing& listing, const Package& package,
                                                       std::string_view file) {
  const FolderEntry* entry = find_entry(listing, file);
  return entry == nullptr ? std::nullopt : folder_.read(package.name, *entry);
}

void PackageReader::fault(const Package& package, std::string_view file, unsigned line, std::string what) {
  faults_.add(fmt::format("build/pkgs/{}/{}:{}", printable(package.name), file, line), std::move(what));
}

void PackageReader::read(const Listing& listing, Package& package) {
  check_name(package);
  read_type(listing, package);
  read_version(listing, package);
  read_trees(listing, package);
  read_dependencies(listing, package);
  if (features_.urls || features_.python_toolchain) read_distribution(listing, package);
  if (features_.urls) read_purl(listing, package);
  if (features_.pyproject) read_pyproject(listing, package);
  read_source(listing, package);
}

void PackageReader::check_name(const Package& package) {
  if (std::all_of(package.name.begin(), package.name.end(), is_name_byte)) return;
  faults_.add("build/pkgs/" + printable(package.name),
              "a package's name consists of lower-case letters, digits, `_`, `.` and `+` (`_` for a dash)");
}

void PackageReader::read_type(const Listing& listing, Package& package) {
  auto text = content(listing, package, "type");
  if (!text) return;
  std::string_view word = trimmed(*text);
  for (PackageType type :
       {PackageType::Base, PackageType::Standard, PackageType::Optional, PackageType::Experimental}) {
    if (word != name(type)) continue;
    package.type = type;
    return;
  }
  // It may be a standard package, which most builds need. (A file with conflict markers has several types.)
  bool may_be_needed =
      word.find("standard") != std::string_view::npos || word.find("base") != std::string_view::npos;
  package.type = may_be_needed ? PackageType::Standard : PackageType::Optional;
  if (word.empty())
    fault(package, "type", 1, fmt::format("is empty; it must contain one of {}", kTypeWords));
  else
    fault(package, "type", 1,
          fmt::format("`{}` is not a package type; it must be one of {}", shown(word), kTypeWords));
}

void PackageReader::read_version(const Listing& listing, Package& package) {
  auto text = content(listing, package, "package-version.txt");
  if (!text) return;
  std::string_view version = trimmed(*text);
  // The version becomes part of file names (the stamp) and of shell text.
  bool plain = std::all_of(version.begin(), version.end(), [](char c) {
    return is_name_byte(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '~' || c == ':';
  });
  if (version.empty())
    fault(package, "package-version.txt", 1, "is empty; a package without a version must not have this file");
  else if (!plain)
    fault(package, "package-version.txt", 1, fmt::format("`{}` is not a version", shown(version)));
  else
    package.version = features_.counted_patch_levels ? normalized_version(version) : std::string(version);
}

void PackageReader::read_trees(const Listing& listing, Package& package) {
  using TreesFile = TreeFeatures::TreesFile;
  if (auto text = features_.trees_file == TreesFile::Ignored ? std::nullopt
                                                             : content(listing, package, "trees.txt")) {
    std::vector<std::string_view> said = features_.trees_file == TreesFile::AllLines
                                             ? lines(*text)
                                             : std::vector<std::string_view>{first_line(*text)};
    for (std::string_view line : said)
      for (std::string_view word : words(without_comment(line))) package.trees.emplace_back(word);
    if (package.trees.empty())
      fault(package, "trees.txt", 1, "names no installation tree, such as SAGE_LOCAL or SAGE_VENV");
    return;
  }
  bool python = std::any_of(features_.python_marks.begin(), features_.python_marks.end(),
                            [&](const std::string& mark) { return find_entry(listing, mark) != nullptr; });
  package.trees.emplace_back(python ? "SAGE_VENV" : "SAGE_LOCAL");
}

// Whether the tree's tools read that file.
bool PackageReader::counts(DependencyFile file) const {
  switch (file) {
    case DependencyFile::OrderOnly:
      return features_.order_only_file;
    case DependencyFile::Optional:
      return features_.optional_file;
    case DependencyFile::Check:
      return features_.check_file;
    case DependencyFile::Build:
      return features_.separate_rules;
    default:
      return true;
  }
}

void PackageReader::read_dependencies(const Listing& listing, Package& package) {
  for (std::size_t i = 0; i < kDependencyFiles.size(); ++i) {
    if (!counts(static_cast<DependencyFile>(i))) continue;
    if (auto text = content(listing, package, kDependencyFiles[i]))
      package.lines[i] = without_comment(first_line(*text));
  }
}

void PackageReader::read_source(const Listing& listing, Package& package) {
  if (find_entry(listing, "requirements.txt")) {
    package.source = SourceType::Pip;
    return;
  }
  bool script = find_entry(listing, "spkg-install") != nullptr;
  if (features_.template_is_script) script = script || find_entry(listing, "spkg-install.in");
  SourceType otherwise = script ? SourceType::Script : SourceType::None;
  if (!find_entry(listing, "checksums.ini"))
    package.source = otherwise;
  else if (features_.wheels)
    package.source = source_of_tarball(listing, package, otherwise);
  else
    package.source = SourceType::Normal;
}

// One tarball of checksums.ini decides, if the file has any: the last one of the first section, or of the
// whole file if it has no sections. Assignments before the first [section] form a section of their own.
SourceType PackageReader::source_of_tarball(const Listing& listing, const Package& package,
                                            SourceType otherwise) {
  auto text = content(listing, package, "checksums.ini");
  if (!text) return otherwise;
  std::optional<std::string_view> tarball;
  bool begun = false;
  for (std::string_view line : lines(*text)) {
    bool section = line.starts_with('[') && line.find(']') != std::string_view::npos;
    if (section && begun && features_.checksum_sections) break;
    std::size_t equals = line.find('=');
    if (section || equals != std::string_view::npos) begun = true;
    if (!section && equals != std::string_view::npos && line.substr(0, equals) == "tarball")
      tarball = line.substr(equals + 1);
  }
  if (!begun) return otherwise;
  if (!tarball && !features_.checksum_sections) return otherwise;
  if (!tarball) {
    fault(package, "checksums.ini", 1, "has no `tarball=`");
    return SourceType::Normal;
  }
  return tarball->ends_with(".whl") ? SourceType::Wheel : SourceType::Normal;
}

void PackageReader::read_distribution(const Listing& listing, Package& package) {
  for (std::string_view file : {"requirements.txt", "version_requirements.txt"}) {
    if (!package.distribution.empty()) return;
    if (auto text = content(listing, package, file)) package.distribution = first_word(*text);
  }
}

void PackageReader::read_purl(const Listing& listing, Package& package) {
  auto text = features_.url_file ? content(listing, package, "purl.txt") : std::nullopt;
  if (text)
    package.purl = without_comment(first_line(*text));
  else if (!package.distribution.empty())
    package.purl = normalized_purl("pkg:pypi/" + package.distribution);
  else
    package.purl = "pkg:generic/" + package.name;
  if (package.purl.starts_with("pkg:generic/"))
    std::replace(package.purl.begin(), package.purl.end(), '_', '-');
}

void PackageReader::read_pyproject(const Listing& listing, Package& package) {
  const FolderEntry* src = find_entry(listing, "src");
  if (src == nullptr || src->kind == FolderEntry::Kind::File) return;
  if (auto text = folder_.read_below(package.name, *src, "pyproject.toml.m4"))
    package.pyproject = pyproject_names(*text);
}

}  // namespace stagemake
