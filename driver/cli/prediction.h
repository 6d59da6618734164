// How long a session's build would take on this machine, as `build`, `explain` and `simulate` say it.
#pragma once

#include <string>

#include "cli/session.h"
#include "schedule/estimate.h"

namespace stagemake {

struct Prediction {
  EstimateSums sums;
  double seconds = 0;  // until everything is done
};

// `slots`: those of the build's makes (cli/options/slot_choice.h).
Prediction predicted(const Session& session, const Options& options, unsigned slots);

// With the slots that a build would have now.
Prediction predicted(const Session& session, const Options& options);

}  // namespace stagemake
