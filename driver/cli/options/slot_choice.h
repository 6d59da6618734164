// Chooses the job slots of a build's makes: one pool for all, the pool of a calling make, or separate jobs
// for each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/session.h"
#include "run/slots/calling_make.h"

namespace stagemake {

// `--slots N`, else the slots of the calling make, else NUMPROC (the largest of the environments that have
// one), else the number of processors.
unsigned slots_of_a_build(const Options& options, const std::vector<Environment>& environments,
                          const JobserverWords& words);

// How many stages may run at once with so many slots: --jobs, else half as many, but at least two. Before
// make runs, a stage uses one slot; afterwards it usually uses several.
unsigned stages_at_once(const Options& options, unsigned slots);

// What each of several hosts may be used for: by its settings, else by what its engine says of its machine.
// Empty if there is only one engine without a host. A host that does not say counts as two processors.
std::vector<DispatchLimits> host_limits(const Options& options, const std::vector<ChosenEngine>& hosts);

struct SlotChoice {
  bool pool = true;                        // for all makes together
  bool is_asked = false;                   // by --slots: if there can be no pool, that is an error
  unsigned count = 1;                      // of the pool; without one, what to expect of the machine
  std::unique_ptr<CallingMake> make = {};  // the make that owns the slots; null: none
  std::string note = {};                   // for the user; empty: nothing to say
};
// Joins the calling make without taking slots from it.
SlotChoice choose_slots(const Options& options, const std::vector<Environment>& environments);

// For several hosts: all their slots, without a common pool.
SlotChoice slots_of_hosts(const std::vector<DispatchLimits>& hosts);

// Why a pool is impossible with this engine; empty if it is possible.
std::string why_no_slots(Session& session, ContainerEngine& engine);

// Without a pool: each make gets NUMPROC jobs, or a share of the processors if NUMPROC is not set.
void give_fair_shares(std::vector<EnvironmentBuild>& builds, unsigned at_once);

}  // namespace stagemake
