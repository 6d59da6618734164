// What is known before anything runs: which images there are, the plan, the decisions.
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "run/build.h"
#include "run/image_survey.h"

namespace stagemake {

std::string digest_of(const ImageInfo& image) {
  return image.digest.empty() ? image.id : image.digest;
}

std::vector<Snapshot> find_snapshots(ContainerEngine& engine, const StageTable& table) {
  std::vector<Snapshot> snapshots;
  for (const ImageInfo& image :
       engine.list_images(std::string(kSchemaLabel), std::to_string(kSnapshotSchema)))
    if (std::optional<Snapshot> snapshot = snapshot_of(image);
        snapshot && snapshot->distribution == table.distribution)
      snapshots.push_back(std::move(*snapshot));
  return snapshots;
}

std::optional<ConfiguredPackages> known_configured(const StateFolder& state, const StagePlan& plan,
                                                   const std::vector<Snapshot>& snapshots) {
  std::optional<std::size_t> stage = plan.configuring_stage();
  if (!stage) return std::nullopt;
  const std::string& key = plan.stages[*stage].key;
  for (const Snapshot& snapshot : snapshots) {
    const LineageEntry* entry = snapshot.holds(plan.stages[*stage].name);
    bool finished = snapshot.complete || snapshot.stage != plan.stages[*stage].name;
    if (entry == nullptr || entry->key != key || !finished || !snapshot.configured) continue;
    return snapshot.configured;
  }
  return state.configured(key);
}

EnvironmentBuild prepare(const BuildWorld& world, const Environment& environment,
                         const std::vector<std::string>& targets, const std::vector<Snapshot>& snapshots,
                         bool fresh) {
  EnvironmentBuild build;
  build.graph = std::make_unique<DependencyGraph>(
      world.packages, world.variables, graph_options(environment, world.packages, world.variables));
  build.plan = make_stage_plan(world.packages, *build.graph, world.table, environment, world.sources);
  if (std::optional<ConfiguredPackages> configured = known_configured(world.state, build.plan, snapshots)) {
    build.graph = std::make_unique<DependencyGraph>(
        world.packages, world.variables,
        graph_options(environment, world.packages, world.variables, configured));
    set_packages_exactly(build.plan, *build.graph);
  }
  for (const std::string& target : targets) {
    std::optional<std::size_t> stage = world.table.find(target);
    if (!stage) {
      std::vector<std::string> names;
      for (const StageSpec& spec : world.table.stages) names.push_back(spec.name);
      throw bad_input(
          "", fmt::format("no stage is named {}; there are {}", printable(target), join(names, ", ")));
    }
    build.targets.push_back(*stage);
  }
  std::optional<Snapshot> held;  // by an incremental environment's base image
  if (std::optional<ImageInfo> base = world.engine.find_image(environment.base_image)) {
    build.base_digest = digest_of(*base);
    if (environment.incremental) held = snapshot_of(*base);
  }
  build.decisions = decide(build.plan, world.packages, *build.graph, snapshots,
                           {.targets = build.targets,
                            .base_digest = build.base_digest,
                            .fresh = fresh,
                            .base = held ? &*held : nullptr});
  return build;
}

}  // namespace stagemake
