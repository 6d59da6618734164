#include "snapshot/richer.h"

#include "base/process/machine.h"
#include "snapshot/candidate.h"

namespace stagemake {

bool is_richer(const StagePlan& plan, DependencyGraphs& graphs, const Snapshot& there, const Snapshot& ours) {
  std::optional<std::size_t> stage = plan.table.find(ours.stage);
  if (there.complete || !stage) return false;
  RestoreOptions options{.targets = {*stage}, .base_digest = ours.base_digest, .cpu = cpu_features()};
  CandidateJudge judge(plan, graphs, options);
  if (!judge.same_environment(there) || !judge.unfit_to_continue(there).empty()) return false;
  Candidate one{.snapshot = std::make_shared<Snapshot>(there)},
      other{.snapshot = std::make_shared<Snapshot>(ours)};
  judge.weigh(one);
  judge.weigh(other);
  return one.ready != other.ready ? one.ready > other.ready : there.lineage.size() > ours.lineage.size();
}

}  // namespace stagemake
