#include "cli/commands/metadata_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/inspection.h"
#include "cli/options/network_options.h"
#include "cli/tree.h"
#include "environment/package_list.h"
#include "plan/stage_plan.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "run/state/state_folder.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', true, ordered_json::error_handler_t::replace);
}

ordered_json names_json(const PackageIndex& packages, const std::vector<PackageId>& ids) {
  ordered_json names = ordered_json::array();
  for (PackageId id : ids) names.push_back(packages[id].name);
  return names;
}

int print_names(const Options& options, const char* what, const std::vector<std::string>& names) {
  if (options.json)
    fmt::print("{}\n", dumped({{"schema", 1}, {what, names}}));
  else
    for (const std::string& name : names) show("{}\n", name);
  return 0;
}

// The requested stages and those before them; all if none is named.
std::vector<std::size_t> shown_stages(const Options& options, const StagePlan& plan) {
  std::set<std::size_t> wanted;
  for (const std::string& name : options.to)
    for (std::size_t stage : plan.chain(stage_named(plan.table, name))) wanted.insert(stage);
  std::vector<std::size_t> shown;
  for (std::size_t s = 0; s < plan.stages.size(); ++s)
    if (wanted.empty() || wanted.contains(s)) shown.push_back(s);
  return shown;
}

Network network_of_stage(const Options& options, const StagePlan& plan, std::size_t stage) {
  return network_choices(options, plan.table, {plan.environment.name})
      .of(plan.table.stages[stage], plan.environment.name);
}

ordered_json plan_json(const Options& options, const Tree& tree, const StagePlan& plan) {
  ordered_json stages = ordered_json::array();
  for (std::size_t s : shown_stages(options, plan)) {
    const PlannedStage& stage = plan.stages[s];
    stages.push_back(
        {{"name", stage.name},
         {"parent", stage.parent ? ordered_json(plan.stages[*stage.parent].name) : ordered_json()},
         {"make_targets", stage.make_targets},
         {"unknown_targets", stage.unknown_targets},
         {"packages", names_json(tree.packages, stage.packages)},
         {"network", name_of(network_of_stage(options, plan, s))},
         {"key", stage.key}});
  }
  return {
      {"schema", 1},
      {"tree", tree.path.string()},
      {"environment", plan.environment.name.empty() ? ordered_json() : ordered_json(plan.environment.name)},
      {"upper_bound", !plan.is_exact()},
      {"stages", stages}};
}

void print_plan(const Options& options, const Tree& tree, const StagePlan& plan) {
  show("{}, {}, stages: {}\n", printable(tree.path.string()), counted(tree.packages.size(), "package"),
       printable(plan.table.origin));
  if (!plan.environment.name.empty())
    show("environment {}: from {}, {} of {}\n", plan.environment.name, printable(plan.environment.base_image),
         counted(plan.environment.setup.packages.size(), "system package"), plan.environment.setup.system);
  for (std::size_t s : shown_stages(options, plan)) {
    const PlannedStage& stage = plan.stages[s];
    show("\n{}  (after {})  key {}\n", stage.name,
         stage.parent ? plan.stages[*stage.parent].name : std::string("the base image"),
         stage.key.substr(0, 16));
    if (!stage.make_targets.empty()) show("  makes {}\n", printable(join(stage.make_targets, " ")));
    if (Network network = network_of_stage(options, plan, s); network != Network::Default)
      show("  network: {}\n", name_of(network));
    if (!stage.unknown_targets.empty())
      show("  the metadata does not say what {} builds\n", printable(join(stage.unknown_targets, " ")));
    if (stage.packages.empty()) continue;
    std::string line;
    show("  adds {}{}\n", counted(stage.packages.size(), "package"),
         plan.is_exact() ? "" : ", at most: configure may find some on the system");
    for (PackageId id : stage.packages) {
      const std::string& package = tree.packages[id].name;
      if (line.size() + package.size() > 74) show("    {}\n", line), line.clear();
      line += (line.empty() ? "" : " ") + package;
    }
    show("    {}\n", line);
  }
}

}  // namespace

int list_command(const Options& options) {
  fs::path path = tree_path(options);
  PackageIndex packages = PackageIndex::read(path);
  return print_names(options, "packages", list_packages(packages, options.query, true));
}

int stages_command(const Options& options) {
  std::vector<std::string> names;
  for (const StageSpec& stage : open_tree(options).table.stages) names.push_back(stage.name);
  return print_names(options, "stages", names);
}

int packages_command(const Options& options) {
  fs::path path = tree_path(options);
  PackageIndex packages = PackageIndex::read(path);
  MakeVariables variables = MakeVariables::read(path, packages.features());
  DependencyGraph graph(packages, variables,
                        {.dummies = names_of(options.dummies),
                         .installed = names_of(options.installed),
                         .checks = checks_of(packages, variables, options.sage_check)});
  std::vector<PackageId> order = graph.build_order(options.make_targets);
  Faults faults;
  faults.add(graph.faults_of(order));
  if (options.strict_metadata) {
    faults.add(packages.faults());
    faults.add(graph.faults());
    faults.add(graph.circles());
  }
  faults.throw_if_any();
  if (!options.json) {
    for (PackageId id : order) show("{}\n", packages[id].name);
    return 0;
  }
  ordered_json list = ordered_json::array();
  for (PackageId id : order)
    list.push_back(
        {{"name", packages[id].name}, {"version", packages[id].version}, {"trees", packages[id].trees}});
  fmt::print("{}\n", dumped({{"schema", 1}, {"make_targets", options.make_targets}, {"packages", list}}));
  return 0;
}

int plan_command(const Options& options) {
  Tree tree = open_tree(options);
  Options asked = options;
  if (asked.environments.empty()) asked.environments.emplace_back();
  Environment environment = resolve_environment(asked, tree);
  DependencyGraphs graphs(tree.packages, tree.variables);
  StateFolder state(options.state, tree.path);
  SourceTree sources(tree.path, state.source_ids(), std::time(nullptr));
  StagePlan plan = make_stage_plan(graphs, tree.table, environment, sources);
  if (std::optional<ConfiguredPackages> configured = known_configured(state, plan, {}))
    set_packages_exactly(plan, graphs, *configured);
  sources.save_cache();
  check_packages(plan, shown_stages(options, plan));
  if (options.json)
    fmt::print("{}\n", dumped(plan_json(options, tree, plan)));
  else
    print_plan(options, tree, plan);
  return 0;
}

}  // namespace stagemake
