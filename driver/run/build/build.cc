#include "run/build/build.h"

#include "run/build/build_run.h"

namespace stagemake {

EstimateBasis estimate_basis(const BuildWorld& world) {
  return {.graphs = world.graphs, .predictions = world.predictions, .hosts = world.hosts};
}

// Not a copy that is changed: a reference cannot be.
BuildWorld with_engine(const BuildWorld& world, ContainerEngine& engine) {
  return {.engine = engine,
          .state = world.state,
          .packages = world.packages,
          .graphs = world.graphs,
          .table = world.table,
          .sources = world.sources,
          .journal = world.journal,
          .clock = world.clock,
          .predictions = world.predictions,
          .revision = world.revision,
          .repository = world.repository,
          .push_repository = world.push_repository,
          .tags = world.tags,
          .take_names = world.take_names,
          .networks = world.networks,
          .base_digests = world.base_digests,
          .bases = nullptr,
          .registries = world.registries,
          .trusted = world.trusted,
          .hosts = world.hosts,
          .push_fetched = world.push_fetched};
}

DecidedEnvironments decided(const std::vector<EnvironmentBuild>& builds) {
  DecidedEnvironments environments;
  for (const EnvironmentBuild& build : builds) environments.push_back(&build);
  return environments;
}

bool BuildResult::all_well() const {
  for (const EnvironmentStatus& environment : environments)
    for (const StageStatus& stage : environment.stages)
      if (stage.state != StageState::Built && stage.state != StageState::Reused &&
          stage.state != StageState::NotWanted)
        return false;
  return true;
}

BuildResult run_builds(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter) {
  return BuildRun(world, builds, options, reporter).run();
}

}  // namespace stagemake
