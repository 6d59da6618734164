#include "cli/commands/image_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/output_file.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/session.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "engine/engine_finder.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "run/container/adoption.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

ordered_json snapshot_json(const Snapshot& snapshot) {
  ordered_json packages = ordered_json::object();
  for (const auto& [name, package] : snapshot.packages) packages[name] = package.version;
  return {{"image", snapshot.image},
          {"names", snapshot.names},
          {"environment", snapshot.environment},
          {"stage", snapshot.stage},
          {"key", snapshot.key()},
          {"complete", snapshot.complete},
          {"clean", snapshot.is_clean()},
          {"revision", snapshot.revision},
          {"created", snapshot.created},
          {"unvouched", snapshot.unvouched},
          {"bytes", snapshot.size},
          {"layers", snapshot.layers},
          {"base_digest", snapshot.base_digest},
          {"made_by", snapshot.made_by},
          {"packages", packages}};
}

std::vector<UnsavedWork> wanted_unsaved(const Options& options, ContainerEngine& engine, const Tree& tree) {
  std::set<std::string> names;
  for (const std::string& name : options.environments) names.insert(environment_name(name));
  return unsaved_work(engine, StateFolder(options.state, tree.path), tree.table, names);
}

std::string unsaved_text(const UnsavedWork& work) {
  double age = static_cast<double>(std::time(nullptr) - work.began);
  return work.container.name + (work.began > 0 ? fmt::format(" ({} ago)", duration_text(age)) : "");
}

ordered_json unsaved_json(const UnsavedWork& work) {
  return {{"container", work.container.name},
          {"environment", work.environment},
          {"stage", work.stage},
          {"began", work.began},
          {"running", work.container.running}};
}

}  // namespace

// The snapshots of the requested environments (of all if none is named), newest first.
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

std::vector<std::string> take_stages(Options& options, const StageTable& table) {
  std::vector<std::string> stages, environments;
  for (const std::string& word : options.environments)
    (table.find(word) ? stages : environments).push_back(word);
  if (environments.empty() && !stages.empty()) check_no_stage(table, stages.front());
  options.environments = environments;
  return stages;
}

void check_names(const Options& options, const Tree& tree, const std::set<std::string>& found) {
  for (const std::string& asked : options.environments) check_no_stage(tree.table, asked);
  if (!tree.factors && fs::exists(tree.path / "tox.ini")) return;  // it is faulty, so names cannot be checked
  EnvironmentReader reader = environment_reader(
      tree, [] { return std::string(); }, MayRun::Nothing);
  Faults faults;
  for (const std::string& asked : options.environments) {
    std::string name = environment_name(asked);
    if (found.contains(name)) continue;
    try {
      reader.resolve({.name = name, .given = {}});
    } catch (const Error& error) {
      std::string hint = stage_hint(tree, name);
      for (const Fault& fault : error.faults()) faults.add(fault.where, fault.what + hint);
    }
  }
  faults.throw_if_any();
}

namespace {

// The environments that have snapshots.
std::set<std::string> environments_of(const std::vector<Snapshot>& snapshots,
                                      const std::vector<UnsavedWork>& unsaved) {
  std::set<std::string> found;
  for (const Snapshot& snapshot : snapshots) found.insert(snapshot.environment);
  for (const UnsavedWork& work : unsaved) found.insert(work.environment);
  return found;
}

}  // namespace

int snapshots_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Images);
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  Origins(StateFolder(options.state, tree.path).origins()).judge(snapshots, trusted_keys(options));
  std::vector<UnsavedWork> unsaved = wanted_unsaved(options, *engine, tree);
  check_names(options, tree, environments_of(snapshots, unsaved));
  if (options.json) {
    ordered_json list = ordered_json::array(), containers = ordered_json::array();
    for (const Snapshot& snapshot : snapshots) list.push_back(snapshot_json(snapshot));
    for (const UnsavedWork& work : unsaved) containers.push_back(unsaved_json(work));
    fmt::print(
        "{}\n",
        ordered_json(
            {{"schema", 1}, {"engine", engine->name()}, {"snapshots", list}, {"containers", containers}})
            .dump(2, ' ', true, ordered_json::error_handler_t::replace));
    return 0;
  }
  if (snapshots.empty()) show("{} has no images of {} yet\n", engine->name(), tree.table.distribution);
  std::int64_t now = std::time(nullptr);
  for (const Snapshot& snapshot : snapshots)
    show("{}\n    {}, {}, {} ago, {}, {}, {}, key {}\n", display_name(snapshot),
         snapshot.complete ? "complete" : "unfinished",
         snapshot.unvouched.empty() || !snapshot.clean
             ? std::string(clean_text(snapshot))
             : fmt::format("{}: {}", clean_text(snapshot), snapshot.unvouched),
         duration_text(static_cast<double>(now - snapshot.created)),
         counted(snapshot.packages.size(), "package"), size_text(snapshot.size),
         counted(snapshot.layers, "layer"), snapshot.key().substr(0, 16));
  for (const UnsavedWork& work : unsaved)
    show(
        "{}\n    a container with work of {} that is in no image; the next build saves it, `stagemake clean "
        "{} "
        "--containers` removes it\n",
        unsaved_text(work), work.stage, work.environment);
  return 0;
}

namespace {

// FILE for the first one, FILE.2 for the second, and so on.
fs::path export_file(const fs::path& file, std::size_t at) {
  return at == 0 ? file : fs::path(fmt::format("{}.{}", file.string(), at + 1));
}

// Whether an image holds one of the stages, that is, if it is of one or built on one. True if none is named.
bool holds_any(const Snapshot& snapshot, const std::vector<std::string>& stages) {
  return stages.empty() || std::any_of(stages.begin(), stages.end(), [&](const std::string& stage) {
           return snapshot.holds(stage) != nullptr;
         });
}

bool is_after_any(const StageTable& table, const UnsavedWork& work, const std::vector<std::string>& stages) {
  std::optional<std::size_t> at = table.find(work.stage);
  std::vector<std::size_t> chain = at ? table.chain(*at) : std::vector<std::size_t>();
  return stages.empty() || std::any_of(chain.begin(), chain.end(), [&](std::size_t one) {
           return std::find(stages.begin(), stages.end(), table.stages[one].name) != stages.end();
         });
}

int clean_containers(const Options& options, ContainerEngine& engine, const Tree& tree,
                     const std::vector<std::string>& stages) {
  StateFolder state(options.state, tree.path);
  std::vector<UnsavedWork> unsaved = wanted_unsaved(options, engine, tree);
  check_names(options, tree, environments_of({}, unsaved));
  std::erase_if(unsaved, [&](const UnsavedWork& work) { return !is_after_any(tree.table, work, stages); });
  if (unsaved.empty()) show("no container holds unsaved work\n");
  bool is_file = true;  // regular, so there can be others beside it
  if (options.export_to) {
    is_file = !is_standard_output(*options.export_to) &&
              (!fs::exists(*options.export_to) || fs::is_regular_file(*options.export_to));
    if (!is_file && unsaved.size() > 1)
      throw bad_input("--export " + printable(options.export_to->string()),
                      fmt::format("{} contain unsaved work, and several can be exported only to regular "
                                  "files; name one environment or a file",
                                  counted(unsaved.size(), "container")));
  }
  int status = 0;
  for (std::size_t i = 0; i < unsaved.size(); ++i) {
    const UnsavedWork& work = unsaved[i];
    if (options.dry_run) {
      show("would remove {} with its work of {}\n", unsaved_text(work), work.stage);
      continue;
    }
    std::optional<FileLock> lock = FileLock::try_take(state.environment_lock(work.environment));
    if (!lock) {
      show("{} is being built, not removed: {}\n", work.environment, work.container.name);
      status = static_cast<int>(ExitStatus::StageFailed);
      continue;
    }
    if (options.export_to) {
      fs::path file = export_file(*options.export_to, i);
      OutputFile output(file);
      engine.export_files(work.container.name, output.descriptor());
      output.finish();
      if (is_file)
        show("wrote {}: `docker import {}` makes an image of it\n", printable(file.string()),
             shell_quoted(file.string()));
    }
    discard_work(engine, state, work.container.name);
    std::string removed = fmt::format("removed {} with its work of {}", unsaved_text(work), work.stage);
    if (is_file)
      show("{}\n", removed);
    else
      say(removed);
  }
  return status;
}

}  // namespace

int clean_command(const Options& asked) {
  Options options = asked;
  Tree tree = open_tree(options, TreeCheck::Images);
  std::vector<std::string> stages = take_stages(options, tree.table);
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  if (options.containers) return clean_containers(options, *engine, tree, stages);
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  std::vector<UnsavedWork> unsaved = wanted_unsaved(options, *engine, tree);
  check_names(options, tree, environments_of(snapshots, unsaved));
  std::erase_if(snapshots, [&](const Snapshot& snapshot) { return !holds_any(snapshot, stages); });
  std::erase_if(unsaved, [&](const UnsavedWork& work) { return !is_after_any(tree.table, work, stages); });
  if (snapshots.empty()) show("nothing to remove\n");
  for (const UnsavedWork& work : unsaved)
    show("container {} holds unsaved work of {}; --containers removes it\n", unsaved_text(work), work.stage);
  int status = 0;
  for (const Snapshot& snapshot : snapshots) {  // newest first, because later stages build on earlier ones
    std::string name = display_name(snapshot);
    if (options.dry_run) {
      show("would remove {}\n", name);
      continue;
    }
    bool removed = true;
    for (const std::string& own : snapshot.names) removed = engine->remove_image(own) && removed;
    if (snapshot.names.empty()) removed = engine->remove_image(snapshot.image);
    show("{} {}\n", removed ? "removed" : "still in use, not removed:", name);
    if (!removed) status = static_cast<int>(ExitStatus::StageFailed);
  }
  return status;
}

}  // namespace stagemake
