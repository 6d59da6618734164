#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "plan/explanation.h"
#include "run/build.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

ordered_json snapshot_json(const Snapshot& snapshot) {
  ordered_json packages = ordered_json::object();
  for (const auto& [name, package] : snapshot.packages) packages[name] = package.version;
  return {
      {"image", snapshot.image},     {"names", snapshot.names},       {"environment", snapshot.environment},
      {"stage", snapshot.stage},     {"key", snapshot.key()},         {"complete", snapshot.complete},
      {"clean", snapshot.clean},     {"revision", snapshot.revision}, {"created", snapshot.created},
      {"bytes", snapshot.size},      {"layers", snapshot.layers},     {"base_digest", snapshot.base_digest},
      {"made_by", snapshot.made_by}, {"packages", packages}};
}

}  // namespace

// The snapshots of the environments asked for (all, where none is), newest first.
std::vector<Snapshot> wanted_snapshots(const Options& options, ContainerEngine& engine,
                                       const StageTable& table) {
  std::vector<std::string> names;
  for (const std::string& name : options.environments) names.push_back(environment_name(name));
  std::vector<Snapshot> all = find_snapshots(engine, table);
  std::erase_if(all, [&](const Snapshot& snapshot) {
    return !names.empty() && std::find(names.begin(), names.end(), snapshot.environment) == names.end();
  });
  std::sort(all.begin(), all.end(), [](const Snapshot& a, const Snapshot& b) {
    return std::tie(a.created, a.image) > std::tie(b.created, b.image);
  });
  return all;
}

int snapshots_command(const Options& options) {
  Tree tree = open_tree(options);
  std::unique_ptr<ContainerEngine> engine = open_engine(options.engine);
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const Snapshot& snapshot : snapshots) list.push_back(snapshot_json(snapshot));
    fmt::print("{}\n", ordered_json({{"schema", 1}, {"engine", engine->name()}, {"snapshots", list}})
                           .dump(2, ' ', false, ordered_json::error_handler_t::replace));
    return 0;
  }
  if (snapshots.empty()) fmt::print("{} has no images of {} yet\n", engine->name(), tree.table.distribution);
  std::int64_t now = std::time(nullptr);
  for (const Snapshot& snapshot : snapshots)
    fmt::print("{}\n    {}, {}, {} ago, {}, {}, {}, key {}\n", display_name(snapshot),
               snapshot.complete ? "complete" : "unfinished", snapshot.clean ? "clean" : "incremental",
               duration_text(static_cast<double>(now - snapshot.created)),
               counted(snapshot.packages.size(), "package"), size_text(snapshot.size),
               counted(snapshot.layers, "layer"), snapshot.key().substr(0, 16));
  return 0;
}

int clean_command(const Options& options) {
  Tree tree = open_tree(options);
  std::unique_ptr<ContainerEngine> engine = open_engine(options.engine);
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  if (snapshots.empty()) fmt::print("nothing to remove\n");
  int status = 0;
  for (const Snapshot& snapshot : snapshots) {  // newest first: later stages lie on earlier ones
    std::string name = display_name(snapshot);
    if (options.dry_run) {
      fmt::print("would remove {}\n", name);
      continue;
    }
    bool removed = true;
    for (const std::string& own : snapshot.names) removed = engine->remove_image(own) && removed;
    if (snapshot.names.empty()) removed = engine->remove_image(snapshot.image);
    fmt::print("{} {}\n", removed ? "removed" : "still in use, not removed:", name);
    if (!removed) status = static_cast<int>(ExitStatus::StageFailed);
  }
  return status;
}

int doctor_command(const Options& options) {
  std::vector<EngineReport> reports = examine_engines();
  bool any =
      std::any_of(reports.begin(), reports.end(), [](const EngineReport& report) { return report.usable; });
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const EngineReport& report : reports)
      list.push_back({{"name", report.name},
                      {"usable", report.usable},
                      {"version", report.version},
                      {"problem", report.problem},
                      {"advice", report.advice},
                      {"warning", report.warning}});
    fmt::print("{}\n", ordered_json({{"schema", 1}, {"engines", list}})
                           .dump(2, ' ', false, ordered_json::error_handler_t::replace));
  } else {
    for (const EngineReport& report : reports) {
      fmt::print("{:<8} {}\n", report.name,
                 report.usable ? "works, " + printable(report.version)
                               : "does not work: " + printable(report.problem));
      const std::string& more = report.usable ? report.warning : report.advice;
      if (!more.empty()) fmt::print("{:<8} {}\n", "", printable(more));
    }
    if (!any) fmt::print("No engine works here. One is enough.\n");
  }
  return static_cast<int>(any ? ExitStatus::Ok : ExitStatus::EngineUnusable);
}

}  // namespace stagemake
