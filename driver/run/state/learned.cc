#include "run/state/learned.h"

#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "schedule/predicted_costs.h"

namespace stagemake {

Predictions learned(const JournalContents& journal, const SnapshotList& snapshots) {
  Observations seen;
  seen.packages.reserve(journal.packages.size());
  for (const PackageBuilt& built : journal.packages)
    seen.packages.push_back({built.environment, built.package, built.seconds, built.when});
  std::vector<PackageObservation> of_images = package_times(snapshots);
  std::set<std::pair<std::string_view, std::string_view>> known;
  if (!of_images.empty())
    for (const PackageBuilt& built : journal.packages) known.emplace(built.environment, built.package);
  for (PackageObservation& built : of_images)
    if (!known.contains({built.environment, built.package})) seen.packages.push_back(std::move(built));
  for (const JournalStage& run : journal.stages)
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

}  // namespace stagemake
