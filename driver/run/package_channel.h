// What the guard tells from inside a container, among what the stage prints: which package begins, which
// ends.
//
// Makes and loggers on the way to a package redirect its output; the guard writes past them, to what the
// stage's own shell prints to, a line that begins with a byte that no log has (ASCII's record separator).
// Here these lines are taken out, also where they stand in the middle of another's line or come in pieces.
// What only looks like one stays. A package that goes through the guard twice (its builder, and the logger
// around that) begins once and ends once. All of it is believed for display alone.
//
// Thread rule: one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "report/event.h"

namespace stagemake {

class PackageChannel {
 public:
  explicit PackageChannel(std::function<void(const PackageStatus&)> heard) : heard_(std::move(heard)) {}

  // The next piece of output without what is the guard's. Of an unfinished line of the guard's, what has
  // come is held back until the next piece.
  std::string take(std::string_view piece);
  // What was held back, at the end of the output.
  std::string rest() { return std::move(held_); }

 private:
  bool tells(std::string_view line);
  void tell(const PackageStatus& package);

  std::function<void(const PackageStatus&)> heard_;
  std::string held_;                          // begins with the mark
  std::map<std::string, unsigned> building_;  // how often each has begun and not ended
};

}  // namespace stagemake
