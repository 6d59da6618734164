#include "run/learned.h"

#include <set>
#include <tuple>
#include <utility>

namespace stagemake {

std::vector<PackageObservation> package_times(const std::vector<Snapshot>& snapshots) {
  std::vector<PackageObservation> times;
  std::set<std::tuple<std::string, std::string, std::string, std::string, double>> seen;
  for (const Snapshot& snapshot : snapshots)
    for (const auto& [name, package] : snapshot.packages)
      if (package.seconds > 0 &&
          seen.emplace(snapshot.environment, name, package.version, package.fingerprint, package.seconds)
              .second)
        times.push_back({snapshot.environment, name, package.seconds, snapshot.created});
  return times;
}

Predictions learned(const JournalContents& journal, const std::vector<Snapshot>& snapshots) {
  Observations seen;
  std::set<std::pair<std::string, std::string>> known;
  for (const PackageBuilt& built : journal.packages) {
    seen.packages.push_back({built.environment, built.package, built.seconds, built.when});
    known.emplace(built.environment, built.package);
  }
  for (PackageObservation& built : package_times(snapshots))
    if (!known.contains({built.environment, built.package})) seen.packages.push_back(std::move(built));
  for (const StageRun& run : journal.stages)
    seen.stages.push_back({.environment = run.environment,
                           .stage = run.stage,
                           .built = run.outcome == StageOutcome::Built,
                           .seconds = run.seconds,
                           .commit_seconds = run.commit_seconds,
                           .bytes = run.bytes,
                           .memory = run.memory,
                           .when = run.when});
  for (const TransferRecord& transfer : journal.transfers)
    if (transfer.ok)
      seen.transfers.push_back({.kind = transfer.kind == TransferRecord::Kind::Pull
                                            ? TransferObservation::Kind::Fetch
                                            : TransferObservation::Kind::Push,
                                .host = transfer.host,
                                .bytes = transfer.bytes,
                                .seconds = transfer.seconds,
                                .when = transfer.when});
  return Predictions(std::move(seen));
}

Costs predicted_costs(const Predictions& predictions, const PackageIndex& packages, const StagePlan& plan) {
  Costs costs;
  const std::string& environment = plan.environment.name;
  for (const Package& package : packages)
    costs.package_seconds.push_back(predictions.package(environment, package.name).seconds);
  for (const PlannedStage& stage : plan.stages) {
    bool makes = !stage.make_targets.empty();  // what it takes is its packages
    costs.stage_seconds.push_back(
        makes ? 1 : predictions.stage_seconds(environment, stage.name).value_or(Costs::kUnknownStage));
  }
  return costs;
}

}  // namespace stagemake
