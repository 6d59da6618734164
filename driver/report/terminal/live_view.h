// A running build as a few lines of text, for a terminal where they are redrawn in place, and for `stagemake
// status`. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/terminal/time_left.h"

namespace stagemake {

struct LiveOptions {
  unsigned columns = 80;  // lines are at most one column shorter
  unsigned rows = 24;     // at most two thirds are used
  bool color = false;
  bool keys = false;                     // mention at the end that there are keys
  bool help = false;                     // list the keys
  std::optional<StageAddress> log = {};  // the stage whose log is shown …
  std::vector<std::string> tail = {};    // … and its last lines, printable
};
std::vector<std::string> live_block(const RunRecord& run, double now, const LiveOptions& options);

// The number of bytes of a line that a terminal shows, without colours. For ASCII and the lines of
// live_block.
std::size_t shown_width(std::string_view line);

}  // namespace stagemake
