// The runs of a tree, as its state folder keeps them: a folder each, with the run's events, and a lock that
// its driver holds while it lives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run/state_folder.h"

namespace stagemake {

inline constexpr std::size_t kKeptRuns = 30;  // when a new one begins, older ones go; never one that lives

class RunFolder {
 public:
  // Makes one; `now`: seconds since the epoch. Throws Error (EngineUnusable) where that is not possible.
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
// The youngest first; also those that wrote nothing.
std::vector<KeptRun> kept_runs(const StateFolder& state);

}  // namespace stagemake
