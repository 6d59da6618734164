// What everything in a run shares.
#pragma once

#include "run/build/build.h"
#include "run/build/image_names.h"
#include "run/build/machine_limits.h"
#include "run/build/run_progress.h"

namespace stagemake {

class Hosts;

// On one of its hosts, if there are several.
struct RunContext {
  const BuildWorld& world;
  const BuildOptions& options;
  RunProgress& progress;
  ImageNames& names;
  MachineLimits& limits;
  Heartbeat& heartbeat;
  // The start of the run, by its clock and by that of the engine's machine, which may be set back during the
  // run. (Infinity: the engine does not tell.) Seconds since the epoch.
  double began = 0, began_there = 0;
  std::size_t environments = 1;  // in the run
  unsigned at_once = 1;          // stages
  Hosts* hosts = nullptr;        // all of them; null: there is only one
  std::size_t host = 0;          // which of them this is

  unsigned predicted_slots() const;
  // Whether less time has passed by the engine's clock since the run began than really has. Then files of
  // this run may lie in the future.
  bool was_set_back() const;
};

}  // namespace stagemake
