#include "cli/prediction.h"

#include "base/process/callers_environment.h"
#include "cli/options/slot_choice.h"

namespace stagemake {

Prediction predicted(const Session& session, const Options& options, unsigned slots) {
  Estimate estimate = estimate_of(estimate_basis(session.world), decided(session.builds));
  std::vector<SimulatedMachine> machines = session.limits;
  if (machines.empty())
    machines.push_back(
        {.slots = slots, .at_once = stages_at_once(options, slots), .memory = memory_for_stages(options)});
  Simulated simulated = simulate(estimate.simulated, machines);
  return {.sums = sums_of(estimate_basis(session.world), estimate, decided(session.builds)),
          .seconds = simulated.makespan};
}

Prediction predicted(const Session& session, const Options& options) {
  return predicted(
      session, options,
      slots_of_a_build(options, session.environments, jobserver_words(callers_variable("MAKEFLAGS"))));
}

}  // namespace stagemake
