#include "schedule/predicted_costs.h"

#include <set>
#include <string>
#include <tuple>

namespace stagemake {

std::vector<PackageObservation> package_times(const SnapshotList& snapshots) {
  std::vector<PackageObservation> times;
  std::set<std::tuple<std::string, std::string, std::string, std::string, double>> seen;
  for (const SnapshotPtr& snapshot : snapshots)
    for (const auto& [name, package] : snapshot->packages)
      if (package.seconds > 0 &&
          seen.emplace(snapshot->environment, name, package.version, package.fingerprint, package.seconds)
              .second)
        times.push_back({snapshot->environment, name, package.seconds, snapshot->created});
  return times;
}

Costs predicted_costs(const Predictions& predictions, const PackageIndex& packages, const StagePlan& plan) {
  Costs costs;
  const std::string& environment = plan.environment.name;
  for (const Package& package : packages)
    costs.package_seconds.push_back(predictions.package(environment, package.name).seconds);
  for (const PlannedStage& stage : plan.stages) {
    bool makes = !stage.make_targets.empty();  // then its packages are the cost
    costs.stage_seconds.push_back(
        makes ? 1 : predictions.stage_seconds(environment, stage.name).value_or(Costs::kUnknownStage));
  }
  return costs;
}

}  // namespace stagemake
