#include "run/image_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.h"
#include "base/tarball.h"
#include "base/text.h"
#include "engine/registry.h"

namespace stagemake {
namespace {

constexpr std::size_t kFileLimit = 256u << 20;  // bytes; a source file beyond it counts as changed

constexpr std::chrono::milliseconds kRegistryPatience{6000};

// A package's stamp is written after its files (with `cat >`), so that a cut can leave a short one.
bool is_cut_short(const TarEntry& stamp, SourceType source) {
  if (source != SourceType::Normal && source != SourceType::Wheel) return false;  // those are made by `touch`
  if (stamp.size == 0) return true;
  return stamp.content.starts_with('{') && !nlohmann::json::accept(stamp.content);
}

SourceFile::Kind kind_of(const TarEntry& entry) {
  if (entry.kind == TarEntry::Kind::Symlink) return SourceFile::Kind::Symlink;
  return (entry.mode & 0111) != 0 ? SourceFile::Kind::Executable : SourceFile::Kind::Plain;
}

}  // namespace

std::optional<Snapshot> snapshot_of(const ImageInfo& image) {
  std::optional<Snapshot> snapshot = from_labels(image.labels);
  if (!snapshot) return std::nullopt;
  snapshot->image = image.id;
  snapshot->names = image.names;
  snapshot->created = image.created;
  snapshot->size = image.size;
  snapshot->layers = image.layers;
  snapshot->layer_ids = image.layer_ids;
  return snapshot;
}

std::vector<SourceFile> survey_sources(ContainerEngine& engine, const std::string& container,
                                       const StageTable& table, const SourceTree& sources) {
  std::map<std::string, SourceFile> files;
  for (const StageSpec& stage : table.stages)
    for (const std::string& path : stage.adds) {
      std::optional<std::string> tar = engine.copy_out(container, table.root + "/" + path);
      if (!tar) continue;
      std::string above = path.substr(0, path.size() - path.substr(path.rfind('/') + 1).size());
      for (const TarEntry& entry : read_tar(*tar, kFileLimit)) {
        if (entry.kind != TarEntry::Kind::File && entry.kind != TarEntry::Kind::Symlink) continue;
        std::string name = above + entry.name;
        if (sources.is_ignored(name)) continue;
        bool whole = entry.kind == TarEntry::Kind::Symlink || entry.size <= kFileLimit;
        files[name] = {name, kind_of(entry), whole ? git_blob_id(entry.content) : std::string(40, '0')};
      }
    }
  std::vector<SourceFile> sorted;
  for (auto& [path, file] : files) sorted.push_back(std::move(file));
  return sorted;
}

std::optional<ConfiguredPackages> survey_configured(ContainerEngine& engine, const std::string& container,
                                                    const StageTable& table) {
  std::optional<std::string> tar =
      engine.copy_out(container, table.root + "/" + std::string(kConfiguredMakefile));
  std::vector<TarEntry> entries = tar ? read_tar(*tar, kFileLimit) : std::vector<TarEntry>();
  return entries.size() == 1 ? read_configured_makefile(entries[0].content) : std::nullopt;
}

std::map<std::string, InstalledPackage> installed_packages(
    const std::vector<std::string>& stamp_folders, const PackageIndex& packages,
    const std::map<std::string, std::string>& fingerprints,
    const std::map<std::string, InstalledPackage>& before, std::int64_t began,
    const std::map<std::string, double>& measured) {
  std::map<std::string, InstalledPackage> installed;
  std::map<std::string, std::pair<std::int64_t, std::string>> youngest;  // of a package with several records
  std::vector<std::pair<std::int64_t, std::string>> built;               // since `began`
  for (const std::string& folder : stamp_folders) {
    for (const TarEntry& stamp : read_tar(folder)) {
      std::string file = stamp.name.substr(stamp.name.rfind('/') + 1);
      std::size_t dash = file.find('-');  // names have `_`, versions may have `-`
      if (stamp.kind != TarEntry::Kind::File || dash == std::string::npos || file.starts_with('.')) continue;
      std::string name = file.substr(0, dash);
      InstalledPackage package{file.substr(dash + 1), ""};
      auto [other, is_first] = youngest.try_emplace(name, stamp.time, package.version);
      if (!is_first && other->second > std::pair(stamp.time, package.version)) continue;
      other->second = {stamp.time, package.version};
      auto now = fingerprints.find(name);
      auto known = before.find(name);
      if (stamp.time >= began) built.emplace_back(stamp.time, name);
      if (known != before.end() && known->second.version == package.version)
        package.seconds = known->second.seconds;
      if (stamp.time >= began && now != fingerprints.end())
        package.fingerprint = now->second;
      else if (known != before.end() && known->second.version == package.version)
        package.fingerprint = known->second.fingerprint;
      std::optional<PackageId> id = packages.find(name);
      if (id && is_cut_short(stamp, packages[*id].source)) package.fingerprint.clear();
      installed[name] = std::move(package);
    }
  }
  std::sort(built.begin(), built.end());
  std::int64_t last = began;
  for (const auto& [time, name] : built) {
    double& seconds = installed[name].seconds;
    if (auto found = measured.find(name); found != measured.end())
      seconds = found->second;
    else if (seconds == 0)
      seconds = static_cast<double>(time - last);
    last = time;
  }
  return installed;
}

std::vector<std::string> stamp_folders_of(ContainerEngine& engine, const std::string& container,
                                          const StageTable& table) {
  std::vector<std::string> folders;
  for (const std::string& folder : table.stamp_folders)
    if (std::optional<std::string> tar = engine.copy_out(container, table.root + "/" + folder))
      folders.push_back(std::move(*tar));
  return folders;
}

std::string images_beside(ContainerEngine& engine, const std::string& image) {
  constexpr std::size_t kMost = 10;
  std::string repository = image.substr(0, image.rfind('/') + 1);
  std::string stem = image.substr(0, image.rfind(':'));
  std::vector<std::string> names;
  for (const ImageInfo& found : engine.list_images("", ""))
    for (const std::string& name : found.names)
      if (name.starts_with(repository) && (!repository.empty() || name.find('/') == std::string::npos))
        names.push_back(name);
  auto is_same = [&](const std::string& name) { return name.starts_with(stem + ":"); };
  std::sort(names.begin(), names.end());
  std::stable_partition(names.begin(), names.end(), is_same);
  auto some_of = [&](const std::vector<std::string>& all) {
    std::vector<std::string> few(all.begin(), all.begin() + static_cast<long>(std::min(all.size(), kMost)));
    for (std::string& one : few) one = printable(one);
    return join(few, ", ") + (all.size() > kMost ? fmt::format(" and {} more", all.size() - kMost) : "");
  };
  std::string where = repository.empty() ? "without a repository" : "under " + repository;
  std::string text = "; on this machine " +
                     (names.empty() ? "is nothing " + where : "there are, " + where + ": " + some_of(names));
  Registry registry({.patience = kRegistryPatience, .whole_patience = kRegistryPatience});
  if (RegistryAnswer answer = registry.names_beside(image); !answer.images.empty())
    text += "; in the registry there are: " + some_of(answer.images);
  else if (!repository.empty())
    text += "; the registry lists nothing" + (answer.problem.empty() ? "" : ": " + answer.problem);
  return text + ". FROM_DOCKER_REPOSITORY, FROM_DOCKER_TARGET and FROM_DOCKER_TAG say which one to go on in";
}

}  // namespace stagemake
