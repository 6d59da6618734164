#include "run/learned.h"

#include <set>
#include <utility>

namespace stagemake {

std::vector<PackageObservation> package_times(const std::vector<Snapshot>& /*snapshots*/) {
  return {};  // no label says it yet
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
                           .when = run.when});
  for (const Transfer& transfer : journal.transfers)
    if (transfer.ok)
      seen.transfers.push_back({.kind = transfer.kind == Transfer::Kind::Pull
                                            ? TransferObservation::Kind::Fetch
                                            : TransferObservation::Kind::Push,
                                .host = transfer.host,
                                .bytes = transfer.bytes,
                                .seconds = transfer.seconds,
                                .when = transfer.when});
  return Predictions(std::move(seen));
}

}  // namespace stagemake
