// What the guard tells from inside a container, among what the stage prints: which package begins, which
// ends.
//
// Makes and loggers on the way to a package redirect its output; the guard writes past them, to what the
// stage's own shell prints to, a line that begins with a byte that no log has (ASCII's record separator).
// Here these lines are taken out, also where they stand in the middle of another's line or come in pieces.
// What only looks like one stays. A package that goes through the guard twice (its builder, and the logger
// around that) begins once and ends once. All of it is believed for display alone.
//
// Anything inside can print such a line. So a line counts only if it has the container's nonce (which keeps
// accidents out; a build can read it), names a package of the tree, and tells something possible: no end
// without a beginning, no third beginning at once, and no package that begins over and over. Other lines with
// the nonce are dropped and counted. Each byte costs constant time, each package constant memory.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "report/event.h"

namespace stagemake {

class PackageChannel {
 public:
  // `is_known`: whether the tree has a package of that name. `targets`: how many make targets the recipe has;
  // each is a make of its own, which makes packages without an installation record again.
  PackageChannel(std::string_view nonce, std::function<bool(const std::string&)> is_known,
                 std::function<void(const PackageStatus&)> heard, std::size_t targets = 1);

  // The next piece of output without what is the guard's. Of an unfinished line of the guard's, what has
  // come is held back until the next piece.
  std::string take(std::string_view piece);
  // What was held back, at the end of the output.
  std::string rest() { return std::move(held_); }

  // Lines with the nonce that were taken out and not believed.
  std::uint64_t dropped() const { return dropped_; }
  // The same in words, as a line for the log; empty where there were none.
  std::string dropped_text() const;

  // How often a package may begin or be refused for each target.
  static constexpr std::size_t kMostTimes = 16;

 private:
  struct Building {
    unsigned open = 0;      // how often it has begun and not ended
    std::size_t times = 0;  // how often it began anew, or was refused
    bool refused = false;   // by the guard inside of the guard: what was begun outside ends badly
  };

  bool tells(std::string_view line);
  // Whether that is possible.
  bool tell(const PackageStatus& package);

  const std::string beginning_;
  std::function<bool(const std::string&)> is_known_;
  std::function<void(const PackageStatus&)> heard_;
  const std::size_t most_times_;
  std::string held_;                          // begins with the mark
  std::map<std::string, Building> packages_;  // known ones only
  std::uint64_t dropped_ = 0;
};

}  // namespace stagemake
