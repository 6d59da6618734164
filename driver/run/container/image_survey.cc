#include "run/container/image_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "base/files/tarball.h"
#include "base/text/digest.h"
#include "base/text/json_text.h"
#include "base/text/text.h"
#include "engine/copied_files.h"
#include "plan/build_fingerprint.h"
#include "registry/registry.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestRecord = 1u << 20;   // bytes; longer ones come without content
constexpr std::size_t kMakefileLimit = 64u << 20;  // bytes; configure's makefile has about 200 kB

constexpr std::chrono::milliseconds kRegistryPatience{6000};
// The duration of a package if the clock, which counts whole seconds, did not move: 0 would mean "not known".
constexpr double kLeastPackage = 0.5;
constexpr double kMostPackage = 30 * 86400;

// An installation record: NAME-VERSION.
struct Record {
  bool is_new = false;  // written since the marks were taken
  std::string version;
  std::int64_t time = 0;  // seconds since the epoch
  std::uint64_t size = 0;
  std::string content;
};

void for_each_record(const StampEntries& stamps,
                     const std::function<void(const std::string& file, const TarEntry& stamp)>& see) {
  for (const TarEntry& stamp : stamps) {
    std::string file = stamp.name.substr(stamp.name.rfind('/') + 1);
    bool is_record = stamp.kind == TarEntry::Kind::File && file.find('-') != std::string::npos;
    if (is_record && !file.starts_with('.')) see(file, stamp);
  }
}

std::string mark_of(const TarEntry& stamp) {
  return fmt::format("{} {} {}", stamp.time, stamp.size, sha256_hex(stamp.content).substr(0, 16));
}

// By package. If a package has several records, a new one wins, else the youngest. `before` null: none is
// new.
std::map<std::string, Record> read_records(const StampEntries& stamps, const RecordMarks* before) {
  std::map<std::string, Record> records;
  for_each_record(stamps, [&](const std::string& file, const TarEntry& stamp) {
    std::size_t dash = file.find('-');  // names contain `_`, versions may contain `-`
    bool is_new = false;
    if (before != nullptr) {
      auto mark = before->find(file);
      is_new = mark == before->end() || mark->second != mark_of(stamp);
    }
    Record record{is_new, file.substr(dash + 1), stamp.time, stamp.size, stamp.content};
    auto [other, is_first] = records.try_emplace(file.substr(0, dash), record);
    auto rank = [](const Record& one) { return std::tuple(one.is_new, one.time, one.version); };
    if (!is_first && rank(other->second) < rank(record)) other->second = std::move(record);
  });
  return records;
}

// A package's stamp is written after its files (with `cat >`), so an interruption can leave a truncated one.
// `in_flight`: its builder has not reported its end, so the stamp counts as complete only if the text shows
// its own end.
bool is_cut_short(const Record& record, SourceType source, bool in_flight) {
  if (source != SourceType::Normal && source != SourceType::Wheel) return false;  // `touch` makes those
  if (record.size == 0) return true;
  bool is_json = record.content.starts_with('{');
  return is_json ? !json_in(record.content, kLongestRecord) : in_flight;
}

// Whether the package was built with the current build of its dependency.
bool came_before(const std::string& dependency, const Record& its, const std::string& package,
                 const Record& own, const GuardNotes& notes) {
  if (!its.is_new) return true;
  auto built = notes.built.find(dependency);
  auto begun = notes.begun.find(package);
  bool is_noted = built != notes.built.end() && begun != notes.begun.end();
  return is_noted ? built->second < begun->second : its.time <= own.time;
}

// For packages that were built here.
void set_fingerprints(const std::map<std::string, Record>& records, const PackageIndex& packages,
                      const BuiltHere& here, std::map<std::string, InstalledPackage>& installed) {
  for (PackageId id : here.graph.dependencies_first()) {
    const std::string& name = packages[id].name;
    auto record = records.find(name);
    auto own = here.fingerprints.find(name);
    if (record == records.end() || !record->second.is_new || own == here.fingerprints.end() ||
        is_cut_short(record->second, packages[id].source, here.notes.is_in_flight(name)))
      continue;
    installed[name].fingerprint =
        build_fingerprint(packages, here.graph, id, own->second, [&](PackageId needed) -> std::string {
          const std::string& other = packages[needed].name;
          auto its = records.find(other);
          bool is_that =
              its != records.end() && came_before(other, its->second, name, record->second, here.notes);
          return is_that ? installed[other].fingerprint : std::string();
        });
  }
}

SourceFile::Kind kind_of(const TarEntry& entry) {
  if (entry.kind == TarEntry::Kind::Symlink) return SourceFile::Kind::Symlink;
  return (entry.mode & 0111) != 0 ? SourceFile::Kind::Executable : SourceFile::Kind::Plain;
}

std::string content_id(TarReader& tar, const TarEntry& entry) {
  if (entry.kind == TarEntry::Kind::Symlink) return git_blob_id(entry.content);
  BlobDigest digest(entry.size);
  tar.content([&](std::string_view piece) { digest.add(piece); });
  return digest.hex();
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
  for (const StageSpec& stage : table.stages) {
    std::vector<std::string> paths = stage.adds;
    paths.insert(paths.end(), stage.adds_always.begin(), stage.adds_always.end());
    for (const std::string& path : paths) {
      std::string above = path.substr(0, path.size() - path.substr(path.rfind('/') + 1).size());
      read_copied(engine, container, table.root + "/" + path, [&](int descriptor) {
        TarReader tar(descriptor);
        while (std::optional<TarEntry> entry = tar.next()) {
          if (entry->kind != TarEntry::Kind::File && entry->kind != TarEntry::Kind::Symlink) continue;
          std::string name = above + entry->name;
          if (!sources.is_ignored(name)) files[name] = {name, kind_of(*entry), content_id(tar, *entry)};
        }
      });
    }
  }
  std::vector<SourceFile> sorted;
  for (auto& [path, file] : files) sorted.push_back(std::move(file));
  return sorted;
}

std::optional<ConfiguredPackages> survey_configured(ContainerEngine& engine, const std::string& container,
                                                    const StageTable& table, const PackageIndex& packages,
                                                    const std::map<std::string, InstalledPackage>& installed,
                                                    const std::optional<ConfiguredPackages>& before) {
  std::vector<TarEntry> entries =
      copied_entries(engine, container, table.root + "/" + std::string(kConfiguredMakefile), kMakefileLimit);
  if (entries.size() != 1) return std::nullopt;
  std::optional<ConfiguredPackages> now = read_configured_makefile(entries[0].content);
  if (!now) return std::nullopt;
  for (const std::string& name : std::set<std::string>(now->installed)) {
    std::optional<PackageId> id = packages.find(name);
    bool is_standard = id && packages[*id].type == PackageType::Standard;
    bool was_enabled = before && before->installed.contains(name);
    bool was_there = installed.contains(name) || (before && before->found.contains(name));
    if (is_standard || was_enabled || !was_there) continue;
    now->installed.erase(name);
    now->found.insert(name);
  }
  return now;
}

RecordMarks record_marks(const StampEntries& stamps) {
  RecordMarks marks;
  for_each_record(stamps,
                  [&](const std::string& file, const TarEntry& stamp) { marks[file] = mark_of(stamp); });
  return marks;
}

std::map<std::string, InstalledPackage> installed_packages(
    const StampEntries& stamps, const PackageIndex& packages,
    const std::map<std::string, InstalledPackage>& before, const BuiltHere* here) {
  std::map<std::string, Record> records = read_records(stamps, here != nullptr ? &here->before : nullptr);
  std::map<std::string, InstalledPackage> installed;
  std::vector<std::pair<std::int64_t, std::string>> built;
  for (const auto& [name, record] : records) {
    InstalledPackage& package = installed[name];
    package.version = record.version;
    auto known = before.find(name);
    bool is_known = known != before.end() && known->second.version == package.version;
    if (is_known) package.seconds = known->second.seconds;
    std::optional<PackageId> id = packages.find(name);
    bool is_cut = id && is_cut_short(record, packages[*id].source, false);
    if (record.is_new)
      built.emplace_back(record.time, name);
    else if (is_known && !is_cut)
      package.fingerprint = known->second.fingerprint;
  }
  if (here == nullptr) return installed;
  set_fingerprints(records, packages, *here, installed);
  std::sort(built.begin(), built.end());
  std::optional<std::int64_t> last = here->began;
  for (const auto& [time, name] : built) {
    double& seconds = installed[name].seconds;
    auto measured = here->notes.seconds.find(name);
    bool is_known = seconds > 0 || last || measured != here->notes.seconds.end();
    if (measured != here->notes.seconds.end())
      seconds = measured->second;
    else if (seconds == 0 && last)
      seconds = static_cast<double>(time - *last);
    if (is_known) seconds = std::clamp(seconds, kLeastPackage, kMostPackage);
    last = time;
  }
  return installed;
}

StampEntries stamp_folders_of(ContainerEngine& engine, const std::string& container,
                              const StageTable& table) {
  StampEntries stamps;
  for (const std::string& folder : table.stamp_folders)
    for (TarEntry& entry : copied_entries(engine, container, table.root + "/" + folder))
      stamps.push_back(std::move(entry));
  return stamps;
}

std::string images_beside(ContainerEngine& engine, RegistryOptions registries, const std::string& image) {
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
  registries.patience = registries.whole_patience = kRegistryPatience;
  Registry registry(std::move(registries));
  if (RegistryAnswer answer = registry.names_beside(image); !answer.images.empty())
    text += "; in the registry there are: " + some_of(answer.images);
  else if (!repository.empty())
    text += "; the registry lists nothing" + (answer.problem.empty() ? "" : ": " + answer.problem);
  return text +
         ". FROM_DOCKER_REPOSITORY, FROM_DOCKER_TARGET and FROM_DOCKER_TAG say which one to continue from";
}

}  // namespace stagemake
