// How far a run is, and how long it will still take. Pure.
//
// The time left of a stage comes from list scheduling of its packages on its job slots
// (schedule/simulation.h). Built packages do not count, packages in progress count with the rest of their
// predicted time, and packages that need a failed or refused one are not built. A package without any report
// counts as built once a package that needs it has begun. If packages took longer than predicted in this run,
// the remaining ones are expected to do so too. The time left of a run is based on the larger of two bounds:
// all remaining work divided by the number of job slots, and the longest remaining chain of stages of one
// environment. It is scaled by the ratio of the run's predicted time to the same bounds at the beginning. So
// it is never less than what remains.
#pragma once

#include <cstddef>
#include <vector>

#include "report/events/run_record.h"

namespace stagemake {

// Longest running first.
std::vector<StageAddress> running_stages(const RunRecord& run);

// What remains of a running stage, in seconds.
struct StageLeft {
  double seconds = 0;
  double work = 0;          // seconds of job slots
  bool is_overdue = false;  // everything that remains has taken longer than predicted: `seconds` is
                            // meaningless then
};
// `now`: seconds since the epoch. If several stages run, the stage has its share of the job slots.
StageLeft stage_left(const RunRecord& run, StageAddress place, double now);

struct RunLeft {
  double bound = 0;     // predicted lower bound in seconds
  double work = 0;      // remaining, in seconds of job slots
  double all_work = 0;  // including finished work
  bool is_overdue = false;
};
RunLeft run_left(const RunRecord& run, double now);

struct Progress {
  std::size_t stages = 0, stages_done = 0;      // to build; done: ended in any way
  std::size_t packages = 0, packages_done = 0;  // to build (an upper bound before configure has run); built
  std::size_t failed = 0;                       // stages
  std::size_t waiting = 0;                      // stages
  double fraction = 0;                          // of the work, 0 … 1; 1 only at the end
  double seconds_left = 0;                      // predicted time until the end; 0: unknown
  bool is_overdue = false;                      // everything running has taken longer than predicted, and
                                                // nothing waits
};
Progress progress_of(const RunRecord& run, double now);

}  // namespace stagemake
