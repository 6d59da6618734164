#include "run/build/build.h"

#include "run/build/build_run.h"

namespace stagemake {

EstimateBasis estimate_basis(const BuildWorld& world) {
  return {.graphs = world.graphs, .predictions = world.predictions};
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
