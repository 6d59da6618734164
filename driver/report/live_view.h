// A run while it goes on, as a few lines of text: for a terminal, redrawn in place, and for `stagemake
// status`. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run_record.h"

namespace stagemake {

struct StagePlace {
  std::size_t environment = 0, stage = 0;
  bool operator==(const StagePlace&) const = default;
};

// The longest running first.
std::vector<StagePlace> running_stages(const RunRecord& run);

// How far a run is. Each stage that it has to build counts by its predicted seconds, a running one by the
// part of its packages that is built, or by its time where that says more, and never as done.
struct Progress {
  std::size_t stages = 0, stages_done = 0;      // to be built; done: ended, in whatever way
  std::size_t packages = 0, packages_done = 0;  // to be built, at most; built
  std::size_t failed = 0;                       // stages
  std::size_t waiting = 0;                      // stages
  double fraction = 0;                          // 0 … 1
  // Predicted, until all is done: at the beginning what the outlook said of the part that remains, later
  // more and more what follows from the pace so far. 0: nothing is known.
  double seconds_left = 0;
};
// `now`: seconds since the epoch.
Progress progress_of(const RunRecord& run, double now);

struct LiveOptions {
  unsigned columns = 80;  // no line is longer than one less
  unsigned rows = 24;     // at most two thirds of them are used
  bool color = false;
  bool keys = false;                   // says at the end that there are some
  bool help = false;                   // says which
  std::optional<StagePlace> log = {};  // the stage whose log is shown, ...
  std::vector<std::string> tail = {};  // ... and its last lines, printable
};
std::vector<std::string> live_block(const RunRecord& run, double now, const LiveOptions& options);

// The bytes of a line that a terminal shows: without colours. For ASCII and what live_block makes.
std::size_t shown_width(std::string_view line);

}  // namespace stagemake
