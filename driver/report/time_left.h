// How far a run is, and how long it will still take. Pure.
//
// What remains of a stage is what list scheduling makes of its packages on its job slots (plan/simulation.h):
// those that are built count no more, one in flight for what is left of its predicted time, and what needs a
// failed or refused one is not built. A package of which nothing was heard counts as built once one that needs
// it has begun. Where packages took longer than predicted in this run, those to come are expected to, too.
// What remains of a run is the longer of two bounds: all work that is left by the job slots there are, and the
// longest that remains of one environment, stage after stage; in the ratio in which at the beginning the
// outlook of the whole run stood to the same bounds. So it is never less than what remains.
#pragma once

#include <cstddef>
#include <vector>

#include "report/run_record.h"

namespace stagemake {

struct StagePlace {
  std::size_t environment = 0, stage = 0;
  bool operator==(const StagePlace&) const = default;
};

// The longest running first.
std::vector<StagePlace> running_stages(const RunRecord& run);

// What remains of a running stage. Durations are seconds.
struct StageLeft {
  double seconds = 0;
  double work = 0;          // seconds of job slots
  bool is_overdue = false;  // all that remains has taken longer than predicted: `seconds` says nothing then
};
// `now`: seconds since the epoch. With its part of the job slots, where several stages run.
StageLeft stage_left(const RunRecord& run, StagePlace place, double now);

struct RunLeft {
  double bound = 0;     // seconds that it takes at least, as predicted
  double work = 0;      // of job slots, that remain
  double all_work = 0;  // with what is done
  bool is_overdue = false;
};
RunLeft run_left(const RunRecord& run, double now);

struct Progress {
  std::size_t stages = 0, stages_done = 0;      // to be built; done: ended, in whatever way
  std::size_t packages = 0, packages_done = 0;  // to be built, at most before configure has run; built
  std::size_t failed = 0;                       // stages
  std::size_t waiting = 0;                      // stages
  double fraction = 0;                          // of the work, 0 … 1; 1 only at the end
  double seconds_left = 0;                      // predicted, until all is done; 0: nothing is known
  bool is_overdue = false;                      // what runs has taken longer than predicted, and nothing waits
};
Progress progress_of(const RunRecord& run, double now);

}  // namespace stagemake
