#include "cli/session.h"

#include <algorithm>
#include <ctime>

namespace stagemake {
namespace {

std::vector<Environment> read_environments(const Options& options, const Tree& tree,
                                           const Describing& describing) {
  bool builds = options.verb != Verb::Explain && !options.dry_run;
  EnvironmentReader reader = environment_reader(
      tree, [&] { return describing.get(); }, builds ? MayRun::TheTreesShellText : MayRun::Nothing);
  std::vector<Environment> environments = resolve_environments(options, tree, reader);
  Faults faults;
  for (const Environment& environment : environments)
    if (builds && !environment.missing.empty()) faults.add("", environment.missing);
  faults.throw_if_any();
  return environments;
}

}  // namespace

Session::Session(const Options& options)
    : describing(tree_path(options)),
      tree(open_tree(options)),
      environments(read_environments(options, tree, describing)),
      engine(open_engine(options.engine)),
      state(options.state, tree.path),
      sources(tree.path, state.source_ids(), std::time(nullptr)),
      world{.engine = *engine,
            .state = state,
            .packages = tree.packages,
            .variables = tree.variables,
            .table = tree.table,
            .sources = sources,
            .repository = options.repository} {
  // Proxies change nothing of what is built: stages get them, and their keys do not have them.
  for (const auto& [name, value] : options.proxies) {
    for (Environment& environment : environments) environment.values[name] = value;
    for (StageSpec& stage : tree.table.stages) stage.passes.push_back(name);
  }
}

void Session::settle_tags(const Options& options) {
  if (!world.tags.empty()) return;
  world.revision = describing.get();
  world.tags = {options.tag.value_or(tag_of(world.revision))};
  for (const std::string& tag : options.extra_tags)
    if (std::find(world.tags.begin(), world.tags.end(), tag) == world.tags.end()) world.tags.push_back(tag);
}

void Session::look(const Options& options) {
  std::vector<std::string> targets = options.to;
  if (targets.empty()) targets = {tree.table.default_stage};
  snapshots = find_snapshots(*engine, tree.table);
  for (const Environment& environment : environments)
    builds.push_back(prepare(world, environment, targets, snapshots, options.fresh));
  sources.save_cache();
}

std::vector<StageExplanation> Session::explain(const EnvironmentBuild& build) {
  auto manifests = [this](const std::string& digest) { return state.manifest(digest); };
  return stagemake::explain(build.plan, tree.packages, build.decisions, sources, manifests,
                            std::time(nullptr));
}

}  // namespace stagemake
