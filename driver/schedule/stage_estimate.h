// What a build will do, stage by stage, as far as known before it starts. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "snapshot/restore.h"

namespace stagemake {

struct StageEstimate {
  enum class Action { NotWanted, Reused, Built } action = Action::NotWanted;
  std::uint64_t fetch_bytes = 0;  // of an image to fetch for it
  double fetch_seconds = 0;       // without a processor
  double beside_seconds = 0;      // of one processor, for everything but packages
  std::vector<PackageId> packages =
      {};  // built in it, in make's order; an upper bound until configure has run
  std::vector<double> package_seconds = {};  // for each, one after the other

  double processor_seconds() const;
};

// One per stage of the plan.
std::vector<StageEstimate> stage_estimates(const StagePlan& plan, const std::vector<StageDecision>& decisions,
                                           const RestoreOptions& options);

}  // namespace stagemake
