// Which job slots the makes of a build have: one pool for all, a calling make's, or each some of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/session.h"
#include "run/calling_make.h"

namespace stagemake {

// `--slots N`, else those of the calling make, else NUMPROC (the largest of the environments that have one),
// else the processors.
unsigned slots_of_a_build(const Options& options, const std::vector<Environment>& environments,
                          const JobserverWords& words);

// Stages that may run at once with so many slots: --jobs, else half as many and at least two. Before make
// runs a stage uses one slot, and then mostly several.
unsigned stages_at_once(const Options& options, unsigned slots);

struct SlotChoice {
  bool pool = true;                        // for all makes together
  bool is_asked = false;                   // by --slots: where it cannot be, that is an error
  unsigned count = 1;                      // of it; without one, what to expect of the machine
  std::unique_ptr<CallingMake> make = {};  // whose slots they are; null: nobody's
  std::string note = {};                   // for a person; empty: there is nothing to say
};
// Joins the calling make, and takes nothing of it.
SlotChoice choose_slots(const Options& options, const std::vector<Environment>& environments);

// Why a pool cannot be with this engine; empty where it can.
std::string why_no_slots(Session& session);

// Without a pool: each make gets NUMPROC jobs, or its part of the processors where nobody says it.
void give_fair_shares(std::vector<EnvironmentBuild>& builds, unsigned at_once);

}  // namespace stagemake
