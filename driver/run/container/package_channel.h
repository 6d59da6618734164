// The guard's reports from inside a container, embedded in the stage's output: which package starts, which
// ends.
//
// Makes and loggers on the way to a package redirect its output. The guard writes past them, to the output of
// the stage's own shell, a line that begins with a byte that no log contains (ASCII's record separator). This
// class removes these lines, even from the middle of another line or if they arrive in pieces. Lines that
// only look like them stay. A package that goes through the guard twice (its builder, and the logger around
// it) starts once and ends once. All of this is trusted for display only.
//
// Anything inside can print such a line. So a line counts only if it has the container's nonce (against
// accidents: a build can read it), names a package of the tree, and reports something possible: no end
// without a start, no third start at once, and no package that starts over and over. Other lines with the
// nonce are dropped and counted. Each byte costs constant time, each package constant memory.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "report/events/event.h"

namespace stagemake {

class PackageChannel {
 public:
  // `is_known`: whether the tree has a package of that name. `targets`: how many make targets the recipe has;
  // each runs its own make, which rebuilds packages without an installation record.
  PackageChannel(std::string_view nonce, std::function<bool(const std::string&)> is_known,
                 std::function<void(const PackageStatus&)> heard, std::size_t targets = 1);

  // The next piece of output, without the guard's lines. An unfinished line of the guard is held back until
  // the next piece.
  std::string take(std::string_view piece);
  // Output that was held back; call it at the end of the output.
  std::string rest() { return std::move(held_); }

  // Lines with the nonce that were removed and not believed.
  std::uint64_t dropped() const { return dropped_; }
  // The same as a line for the log; empty if there were none.
  std::string dropped_text() const;

  // How often a package may start or be refused per target.
  static constexpr std::size_t kMostTimes = 16;

 private:
  struct Building {
    unsigned open = 0;      // starts without an end
    std::size_t times = 0;  // new starts and refusals
    bool refused = false;   // by the inner guard: the outer start ends in failure
  };

  bool tells(std::string_view line);
  // Returns whether the report is possible.
  bool tell(const PackageStatus& package);

  const std::string beginning_;
  std::function<bool(const std::string&)> is_known_;
  std::function<void(const PackageStatus&)> heard_;
  const std::size_t most_times_;
  std::string held_;                          // starts with the mark
  std::map<std::string, Building> packages_;  // known ones only
  std::uint64_t dropped_ = 0;
};

}  // namespace stagemake
