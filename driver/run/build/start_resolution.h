// Resolves where an environment starts: fetches and checks the images that decide() chose, before anything
// runs in them. An image that cannot be fetched, or contradicts its labels, is refused, and the next best is
// used.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "run/build/run_context.h"

namespace stagemake {

class EnvironmentRun;

class StartResolution {
 public:
  StartResolution(const RunContext& run, EnvironmentRun& environment);
  // If the environment cannot start, its first stages fail. Throws nothing.
  void resolve();

 private:
  // An image that turned out to be unusable, and why; null if all can be used.
  struct Refused {
    SnapshotPtr snapshot = {};
    std::string why;
  };

  void take_shared();
  bool bring_shared(std::size_t from, std::map<std::size_t, SnapshotPtr>& made);
  void note_fetch(const Snapshot& image, std::uint64_t bytes) const;
  SnapshotPtr brought(const Snapshot& there, std::string& why);
  Refused bring_starts();
  Refused bring_reused(std::size_t stage);
  Refused bring_start(std::size_t stage);
  Refused refuse(const SnapshotPtr& snapshot, const std::string& why);
  SnapshotPtr fetched(const Snapshot& remote, std::string& why);
  void decide_again();
  void check_strict() const;
  void fail(const std::string& what, bool BuildResult::*kind);

  const RunContext& run_;
  EnvironmentRun& environment_;
  EnvironmentBuild& build_;
};

}  // namespace stagemake
