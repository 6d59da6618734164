#include "cli/inspection.h"

#include <fmt/format.h>

#include <ctime>

#include "base/files/output_file.h"
#include "base/text/text.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "run/state/learned.h"

namespace stagemake {

Inspection::Inspection(const Options& options)
    : tree(open_tree(options)),
      graphs(tree.packages, tree.variables),
      state(options.state, tree.path),
      sources(tree.path, state.source_ids(), std::time(nullptr)),
      journal(Journal(state.journal()).read()),
      predictions(learned(journal, {})) {}

InspectedPlan Inspection::plan_of(const Environment& environment) {
  StagePlan plan = make_stage_plan(graphs, tree.table, environment, sources);
  sources.save_cache();
  if (std::optional<ConfiguredPackages> configured = known_configured(state, plan, {}))
    set_packages_exactly(plan, graphs, *configured);
  std::shared_ptr<const DependencyGraph> graph = graphs.of(environment, plan.configured);
  return {.plan = std::move(plan), .graph = std::move(graph)};
}

Environment Inspection::environment(const Options& options) const {
  Options asked = options;
  if (asked.environments.empty()) asked.environments.emplace_back();
  return resolve_environment(asked, tree);
}

PackageId package_named(const PackageIndex& packages, const std::string& name) {
  if (std::optional<PackageId> id = packages.find(name)) return *id;
  std::vector<std::string> near = nearest(name, packages.names());
  throw bad_input("", fmt::format("no package is named {}{}", shown(name),
                                  near.empty() ? "; `stagemake list` lists them"
                                               : "; did you mean " + join(near, " or ") + "?"));
}

std::size_t stage_named(const StageTable& table, const std::string& name) {
  if (std::optional<std::size_t> stage = table.find(name)) return *stage;
  std::vector<std::string> names;
  for (const StageSpec& stage : table.stages) names.push_back(stage.name);
  std::vector<std::string> near = nearest(name, names);
  throw bad_input("", fmt::format("no stage is named {}; {}", shown(name),
                                  near.empty() ? "there are " + join(names, ", ")
                                               : "did you mean " + join(near, " or ") + "?"));
}

void put_out(const Options& options, const std::string& text) {
  write_output(options.output.value_or("-"), text);
}

}  // namespace stagemake
