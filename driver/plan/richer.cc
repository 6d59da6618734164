#include "plan/richer.h"

#include "base/machine.h"
#include "plan/candidate.h"

namespace stagemake {

bool is_richer(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
               const Snapshot& there, const Snapshot& ours) {
  std::optional<std::size_t> stage = plan.table.find(ours.stage);
  if (there.complete || !stage) return false;
  RestoreOptions options{.targets = {*stage}, .base_digest = ours.base_digest, .cpu = cpu_features()};
  CandidateJudge judge(plan, packages, variables, options);
  if (!judge.same_environment(there) || !judge.unfit_to_continue(there).empty()) return false;
  Candidate one{.snapshot = &there}, other{.snapshot = &ours};
  judge.weigh(one);
  judge.weigh(other);
  return one.ready != other.ready ? one.ready > other.ready : there.lineage.size() > ours.lineage.size();
}

}  // namespace stagemake
