#include "snapshot/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text/digest.h"
#include "base/text/json_text.h"
#include "base/text/labels.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestWord = 16u << 10;  // bytes of a name, a key, the CPU's words; not of lists

constexpr std::size_t kRunningLimit = 16u << 20;  // bytes; enough for a record per package

constexpr std::size_t kWantsDigits = 16;
constexpr std::size_t kBeganDigits = 12;

std::string label(std::string_view name) {
  return std::string(kLabelPrefix) + std::string(name);
}

std::string dumped(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

json lineage_json(const std::vector<LineageEntry>& lineage) {
  json list = json::array();
  for (const LineageEntry& entry : lineage) {
    json inputs = json::array();
    for (const KeyInput& input : entry.inputs) inputs.push_back({input.name, input.value});
    list.push_back({{"stage", entry.stage}, {"key", entry.key}, {"inputs", inputs}});
  }
  return list;
}

std::vector<LineageEntry> parse_lineage(const json& list) {
  std::vector<LineageEntry> lineage;
  for (const json& item : list) {
    LineageEntry entry{item.at("stage").get<std::string>(), item.at("key").get<std::string>(), {}};
    for (const json& input : item.at("inputs"))
      entry.inputs.push_back({input.at(0).get<std::string>(), input.at(1).get<std::string>()});
    lineage.push_back(std::move(entry));
  }
  return lineage;
}

json packages_json(const std::map<std::string, InstalledPackage>& packages) {
  json object = json::object();
  for (const auto& [name, package] : packages)
    object[name] = {package.version, package.fingerprint, std::llround(package.seconds)};
  return object;
}

// The room in one of these labels beside its name. (Lineage and packages of the largest tree take 40 kB.)
std::size_t room_in(const std::string& name) {
  return kLongestLabel - name.size();
}

// The packages in the form of a label. If there are too many, finished packages come first and the rest is
// left out; packages that the label leaves out are built again.
std::string packages_label(const std::map<std::string, InstalledPackage>& packages, std::size_t room) {
  std::string all = dumped(packages_json(packages));
  if (all.size() <= room) return all;
  std::map<std::string, InstalledPackage> some;
  std::size_t size = 2;
  for (bool finished : {true, false})
    for (const auto& [name, package] : packages) {
      if (package.fingerprint.empty() == finished) continue;
      std::size_t more = dumped(packages_json({{name, package}})).size();
      if (size + more > room) continue;
      size += more;
      some.emplace(name, package);
    }
  return dumped(packages_json(some));
}

// The essential parts of a lineage are stages and keys. If it is too long, the inputs of the keys, which
// serve for explanations, are left out, of the first stages first; only the base image's name stays.
std::string lineage_label(std::vector<LineageEntry> lineage, std::size_t room) {
  std::string text = dumped(lineage_json(lineage));
  for (std::size_t i = 0; text.size() > room && i < lineage.size(); ++i) {
    std::erase_if(lineage[i].inputs, [](const KeyInput& input) { return input.name != kBaseImageInput; });
    text = dumped(lineage_json(lineage));
  }
  return text;
}

// Labels of older images have no seconds. No package takes a month.
InstalledPackage parse_package(const json& value) {
  InstalledPackage package{value.at(0).get<std::string>(), value.at(1).get<std::string>()};
  if (value.size() > 2) package.seconds = std::clamp(value.at(2).get<double>(), 0.0, 30 * 86400.0);
  return package;
}

bool leads_out(std::string_view path) {
  if (path.empty() || path.front() == '/') return true;
  std::vector<std::string_view> parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(),
                     [](std::string_view p) { return p.empty() || p == "." || p == ".."; });
}

}  // namespace

const LineageEntry* Snapshot::holds(std::string_view name) const {
  auto found = std::find_if(lineage.begin(), lineage.end(),
                            [&](const LineageEntry& entry) { return entry.stage == name; });
  return found == lineage.end() ? nullptr : &*found;
}

std::size_t finished_packages(const Snapshot& snapshot) {
  return static_cast<std::size_t>(
      std::count_if(snapshot.packages.begin(), snapshot.packages.end(),
                    [](const auto& package) { return !package.second.fingerprint.empty(); }));
}

std::string Snapshot::base_image() const {
  for (const LineageEntry& entry : lineage)
    for (const KeyInput& input : entry.inputs)
      if (input.name == kBaseImageInput) return input.value;
  return {};
}

SnapshotList share(std::vector<Snapshot> snapshots) {
  SnapshotList list;
  append(list, std::move(snapshots));
  return list;
}

void append(SnapshotList& list, std::vector<Snapshot> more) {
  for (Snapshot& snapshot : more) list.push_back(std::make_shared<Snapshot>(std::move(snapshot)));
}

std::string_view clean_text(const Snapshot& snapshot) {
  if (!snapshot.clean) return "incremental";
  return snapshot.unvouched.empty() ? "clean" : "clean only by its labels";
}

std::string lineage_digest(const Snapshot& snapshot) {
  DigestBuilder digest;
  for (const LineageEntry& entry : snapshot.lineage) digest.field(entry.stage).field(entry.key);
  return digest.hex();
}

std::string fresh_build_name(std::int64_t began, const std::string& wanted) {
  return fmt::format("{}-{}", began, sha256_hex(wanted).substr(0, kWantsDigits));
}

std::optional<std::int64_t> fresh_build_began(std::string_view name) {
  std::size_t dash = name.find('-');
  std::string_view began = name.substr(0, dash);
  if (dash == std::string_view::npos || began.empty() || began.size() > kBeganDigits ||
      began.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::string_view wants = name.substr(dash + 1);
  if (wants.size() != kWantsDigits || wants.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  std::int64_t seconds = 0;
  for (char digit : began) seconds = 10 * seconds + (digit - '0');
  return seconds;
}

std::string_view fresh_build_wants(std::string_view name) {
  return fresh_build_began(name) ? name.substr(name.find('-') + 1) : std::string_view();
}

std::map<std::string, std::string> to_labels(const Snapshot& snapshot) {
  std::map<std::string, std::string> labels = {
      {std::string(kSchemaLabel), std::to_string(kSnapshotSchema)},
      {label("distribution"), snapshot.distribution},
      {std::string(kEnvironmentLabel), snapshot.environment},
      {label("stage"), snapshot.stage},
      {label("key"), snapshot.key()},
      {label("parent"), snapshot.lineage.size() > 1 ? snapshot.lineage[snapshot.lineage.size() - 2].key : ""},
      {label("complete"), snapshot.complete ? "true" : "false"},
      {label("clean"), snapshot.clean ? "true" : "false"},
      {label("base-digest"), snapshot.base_digest},
      {label("revision"), snapshot.revision},
      {label("version"), snapshot.made_by},
      {label("manifest"), snapshot.manifest},
      {label("fresh"), snapshot.fresh_build},
      {label("cpu"), snapshot.cpu},
      {label("lineage"), lineage_label(snapshot.lineage, room_in(label("lineage")))},
      {label("packages"), packages_label(snapshot.packages, room_in(label("packages")))},
  };
  // A label of the parent's that no longer applies must be set to empty, or it is inherited.
  labels[std::string(kCheckpointLabel)] = snapshot.checkpoint_of;
  std::string& configured = labels[label("configured")];
  if (snapshot.configured) configured = configured_text(*snapshot.configured);
  if (configured.size() > room_in(label("configured"))) configured.clear();  // as if unknown
  return labels;
}

std::optional<Snapshot> from_labels(const std::map<std::string, std::string>& labels) {
  auto text = [&](std::string_view name) -> std::string {
    auto found = labels.find(label(name));
    return found == labels.end() ? std::string() : found->second;
  };
  // Containers and images made from it get labels of that size, which an engine would not accept.
  if (!unfit_label(labels, kLabelPrefix).empty()) return std::nullopt;
  for (const auto& [name, value] : labels)
    if (name.starts_with(kLabelPrefix) && value.size() > kLongestWord && name != label("lineage") &&
        name != label("packages") && name != label("configured"))
      return std::nullopt;
  if (text("schema") != std::to_string(kSnapshotSchema)) return std::nullopt;
  Snapshot snapshot;
  snapshot.distribution = text("distribution");
  snapshot.environment = text("environment");
  snapshot.stage = text("stage");
  snapshot.complete = text("complete") == "true";
  snapshot.clean = text("clean") == "true";
  snapshot.base_digest = text("base-digest");
  snapshot.revision = text("revision");
  snapshot.made_by = text("version");
  snapshot.manifest = text("manifest");
  snapshot.fresh_build = fresh_build_began(text("fresh")) ? text("fresh") : std::string();
  snapshot.cpu = text("cpu");
  snapshot.checkpoint_of = text("checkpoint");
  snapshot.configured = parse_configured(text("configured"));
  try {
    std::optional<json> lineage = json_in(text("lineage"), kLongestLabel);
    std::optional<json> packages = json_in(text("packages"), kLongestLabel);
    if (!lineage || !packages || !lineage->is_array() || !packages->is_object()) return std::nullopt;
    snapshot.lineage = parse_lineage(*lineage);
    for (const auto& [name, value] : packages->items()) snapshot.packages[name] = parse_package(value);
  } catch (const json::exception&) {
    return std::nullopt;
  }
  std::set<std::string> stages;
  for (const LineageEntry& entry : snapshot.lineage) stages.insert(entry.stage);
  std::size_t held = snapshot.lineage.size();
  bool consistent = held > 0 && stages.size() == held && snapshot.lineage.back().stage == snapshot.stage &&
                    snapshot.key() == text("key") &&
                    (held > 1 ? snapshot.lineage[held - 2].key : "") == text("parent") &&
                    !snapshot.distribution.empty() && !snapshot.environment.empty();
  if (!consistent || !unfit_label(to_labels(snapshot)).empty())
    return std::nullopt;  // its escapes made it longer
  return snapshot;
}

std::string running_text(const std::string& container, const std::string& token,
                         const RunningStage& running) {
  return json({{"container", container},
               {"token", token},
               {"lineage", lineage_json(running.lineage)},
               {"manifest", running.manifest},
               {"packages", packages_json(running.packages)},
               {"records", running.records},
               {"configured", running.configured ? configured_text(*running.configured) : ""}})
      .dump(-1, ' ', true, json::error_handler_t::replace);
}

std::optional<RunningStage> parse_running(std::string_view text, const std::string& container,
                                          const std::string& token) {
  try {
    json object = json_in(text, kRunningLimit).value_or(nullptr);
    if (token.empty() || object.at("container") != container || object.at("token") != token ||
        !object.at("lineage").is_array())
      return std::nullopt;
    RunningStage running{.lineage = parse_lineage(object["lineage"]),
                         .manifest = object.at("manifest").get<std::string>()};
    for (const auto& [name, value] : object.at("packages").items())
      running.packages[name] = parse_package(value);
    running.records = object.at("records").get<RecordMarks>();
    running.configured = parse_configured(object.at("configured").get<std::string>());
    return running;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string manifest_text(const std::vector<SourceFile>& files) {
  std::string text;
  for (const SourceFile& file : files) {
    text += static_cast<char>(file.kind);
    text += file.id;
    text += ' ';
    text += file.path;
    text += '\0';
  }
  return text;
}

std::optional<std::vector<SourceFile>> parse_manifest(std::string_view text) {
  std::vector<SourceFile> files;
  while (!text.empty()) {
    std::size_t end = text.find('\0');
    if (end == std::string_view::npos || end < 43 || text[41] != ' ') return std::nullopt;
    char kind = text[0];
    std::string_view id = text.substr(1, 40);
    std::string_view path = text.substr(42, end - 42);
    if ((kind != 'f' && kind != 'x' && kind != 'l') || leads_out(path) ||
        id.find_first_not_of("0123456789abcdef") != std::string_view::npos ||
        (!files.empty() && files.back().path >= path))
      return std::nullopt;
    files.push_back({std::string(path), static_cast<SourceFile::Kind>(kind), std::string(id)});
    text.remove_prefix(end + 1);
  }
  return files;
}

}  // namespace stagemake
