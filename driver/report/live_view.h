// A run while it goes on, as a few lines of text: for a terminal, redrawn in place, and for `stagemake
// status`. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/time_left.h"

namespace stagemake {

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
