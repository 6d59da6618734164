// The runs of a tree in its state folder: one folder per run, with the run's events and a lock that its
// driver holds as long as it lives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/state/state_folder.h"

namespace stagemake {

inline constexpr std::size_t kKeptRuns =
    30;  // when a new run starts, older ones are removed, but never a living one

class RunFolder {
 public:
  // Makes one; `now`: seconds since the epoch. Throws Error (EngineUnusable) if that is not possible.
  RunFolder(const StateFolder& state, std::int64_t now);

  const fs::path& path() const { return path_; }
  fs::path events() const { return path_ / "events"; }

 private:
  fs::path path_;
  std::optional<FileLock> lock_;
};

struct KeptRun {
  fs::path events;
  bool is_alive = false;
};
// Newest first; including those that wrote nothing.
std::vector<KeptRun> kept_runs(const StateFolder& state);

}  // namespace stagemake
