#include "schedule/stage_estimate.h"

#include <algorithm>
#include <numeric>
#include <set>

namespace stagemake {

double StageEstimate::processor_seconds() const {
  return std::accumulate(package_seconds.begin(), package_seconds.end(), beside_seconds);
}

std::vector<StageEstimate> stage_estimates(const StagePlan& plan, const std::vector<StageDecision>& decisions,
                                           const RestoreOptions& options) {
  std::vector<StageEstimate> all(decisions.size());
  // The packages that are not ready at the start of a chain of stages; they are built in the stages that
  // follow.
  std::vector<std::set<PackageId>> missing(decisions.size());
  for (std::size_t s = 0; s < decisions.size(); ++s) {
    const StageDecision& decision = decisions[s];
    StageEstimate& stage = all[s];
    auto fetch = [&](const SnapshotPtr& image) {
      if (image == nullptr || !image->is_remote()) return;
      stage.fetch_bytes = image->fetch_size;
      stage.fetch_seconds = options.costs.of_fetching(*image);
    };
    if (decision.action == StageDecision::Action::NotWanted) continue;
    if (decision.action == StageDecision::Action::Reuse) {
      stage.action = StageEstimate::Action::Reused;
      bool is_target = std::find(options.targets.begin(), options.targets.end(), s) != options.targets.end();
      if (is_target) fetch(decision.image);
      continue;
    }
    stage.action = StageEstimate::Action::Built;
    if (decision.start) {
      missing[s].insert(decision.start->to_build.begin(), decision.start->to_build.end());
      fetch(decision.start->snapshot);
    } else {
      missing[s] = missing[*plan.stages[s].parent];
    }
    stage.beside_seconds = options.costs.of_stage(s);
    for (PackageId id : plan.stages[s].packages)
      if (missing[s].contains(id)) {
        stage.packages.push_back(id);
        stage.package_seconds.push_back(options.costs.of_package(id));
      }
  }
  return all;
}

}  // namespace stagemake
