// What a build is going to do, stage by stage, as far as that is known before it begins. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/restore.h"

namespace stagemake {

struct StageForecast {
  enum class Action { NotWanted, Reused, Built } action = Action::NotWanted;
  std::uint64_t fetch_bytes = 0;  // of an image that is brought here for it
  double fetch_seconds = 0;       // which take no processor
  double beside_seconds = 0;      // of one processor, for all but packages
  std::vector<PackageId> packages =
      {};  // that are built in it, in make's order; an upper bound until configure ran
  std::vector<double> package_seconds = {};  // of each, one after the other

  double processor_seconds() const;
};

// One per stage of the plan.
std::vector<StageForecast> forecast(const StagePlan& plan, const std::vector<StageDecision>& decisions,
                                    const RestoreOptions& options);

}  // namespace stagemake
