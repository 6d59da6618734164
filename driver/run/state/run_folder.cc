#include "run/state/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"

namespace stagemake {
namespace {

fs::path lock_of(const fs::path& run) {
  return run / "lock";
}

bool is_alive(const fs::path& run) {
  boost::system::error_code ignored;
  try {
    return fs::exists(lock_of(run), ignored) && !FileLock::try_take(lock_of(run));
  } catch (const Error&) {
    return false;  // of another user: it cannot be determined
  }
}

// Names begin with the time, so they sort by time.
std::vector<fs::path> folders(const StateFolder& state) {
  std::vector<fs::path> all;
  boost::system::error_code failed;
  for (fs::directory_iterator run(state.runs(), failed), end; !failed && run != end; run.increment(failed))
    all.push_back(run->path());
  std::sort(all.rbegin(), all.rend());
  return all;
}

}  // namespace

RunFolder::RunFolder(const StateFolder& state, std::int64_t now) {
  std::vector<fs::path> all = folders(state);
  for (std::size_t i = kKeptRuns - 1; i < all.size(); ++i) {
    boost::system::error_code ignored;
    if (!is_alive(all[i])) fs::remove_all(all[i], ignored);
  }
  path_ = state.runs() /
          fmt::format("{:%Y%m%d-%H%M%S}-{}", fmt::gmtime(static_cast<std::time_t>(now)), ::getpid());
  make_own_folder(path_);
  lock_ = FileLock::try_take(lock_of(path_));
}

std::vector<KeptRun> kept_runs(const StateFolder& state) {
  std::vector<KeptRun> runs;
  for (const fs::path& run : folders(state))
    runs.push_back({.events = run / "events", .is_alive = is_alive(run)});
  return runs;
}

}  // namespace stagemake
