#include "cli/commands/gc_command.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "run/container/adoption.h"
#include "run/images/gc.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

ordered_json entry_json(const GcEntry& entry) {
  return {{"image", entry.image.image},
          {"names", entry.image.names},
          {"environment", entry.image.environment},
          {"stage", entry.image.stage},
          {"key", entry.image.key()},
          {"complete", entry.image.complete},
          {"why", entry.why}};
}

ordered_json result_json(const GcResult& result, const std::vector<UnsavedWork>& unsaved,
                         const Options& options, const std::string& engine) {
  ordered_json containers = ordered_json::array();
  for (const UnsavedWork& work : unsaved)
    containers.push_back(
        {{"container", work.container.name}, {"environment", work.environment}, {"stage", work.stage}});
  ordered_json evicted = ordered_json::array(), kept = ordered_json::array();
  for (const GcEntry& entry : result.evicted) {
    evicted.push_back(entry_json(entry));
    evicted.back()["bytes"] = entry.bytes;
    evicted.back()["rebuild_seconds"] = entry.rebuild_seconds;
  }
  for (const GcEntry& entry : result.kept) kept.push_back(entry_json(entry));
  return {{"schema", 1},
          {"engine", engine},
          {"dry_run", options.dry_run},
          {"evicted", evicted},
          {"kept", kept},
          {"locked", result.locked},
          {"freed", result.freed},
          {"left", result.left},
          {"unmet", result.unmet},
          {"unsaved_containers", containers}};
}

std::string display(const GcEntry& entry) {
  return fmt::format("{}{}", display_name(entry.image),
                     entry.image.names.empty() ? " (" + printable(entry.image.environment) + " " +
                                                     printable(entry.image.stage) + ")"
                                               : "");
}

void print_rest(const GcResult& result, bool dry_run) {
  for (const auto& [environment, why] : result.locked) show("skipped {}: {}\n", printable(environment), why);
  if (dry_run)
    for (const GcEntry& entry : result.kept)
      show("would keep {}: {}\n", display(entry), printable(entry.why));
  if (result.evicted.empty()) show("nothing to remove\n");
  show("{} {}, {} left\n", dry_run ? "would free" : "freed", size_text(result.freed), size_text(result.left));
}

}  // namespace

int gc_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Images);
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  StateFolder state(options.state, tree.path);
  Journal journal(state.journal());
  GcRequest request{.policy = options.eviction, .dry_run = options.dry_run, .now = std::time(nullptr)};
  for (const std::string& name : options.environments) request.environments.insert(environment_name(name));
  auto told = [&](const GcEntry& entry) {
    if (options.json) return;
    show("{} {}: {}, {} to build again; {}\n", options.dry_run ? "would remove" : "removed", display(entry),
         size_text(entry.bytes), duration_text(entry.rebuild_seconds), printable(entry.why));
  };
  GcResult result = collect_garbage(*engine, state, tree.table, journal, request, told);
  std::vector<UnsavedWork> unsaved = unsaved_work(*engine, state, tree.table, request.environments);
  std::set<std::string> found;
  for (const GcEntry& entry : result.evicted) found.insert(entry.image.environment);
  for (const GcEntry& entry : result.kept) found.insert(entry.image.environment);
  for (const UnsavedWork& work : unsaved) found.insert(work.environment);
  for (const auto& [environment, why] : result.locked) found.insert(environment);
  check_names(options, tree, found);
  if (options.json)
    show("{}\n", result_json(result, unsaved, options, engine->name())
                     .dump(2, ' ', true, ordered_json::error_handler_t::replace));
  else
    print_rest(result, options.dry_run);
  if (std::optional<std::string> problem = journal.untold_problem())
    say(fmt::format("stagemake: the journal does not record this: {}", *problem));
  if (!options.json)
    for (const UnsavedWork& work : unsaved)
      show(
          "container {} holds unsaved work of {} {}: the next build saves it, `stagemake clean {} "
          "--containers` "
          "removes it\n",
          work.container.name, work.environment, work.stage, work.environment);
  if (result.unmet.empty()) return 0;
  say(fmt::format("stagemake: {}", result.unmet));
  return static_cast<int>(ExitStatus::StageFailed);
}

}  // namespace stagemake
