// The runs that a tree's state folder keeps, and how commands find them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "report/events/event_log.h"
#include "report/verdict/verdict.h"
#include "run/state/run_folder.h"

namespace stagemake {

struct FoundRun {
  std::string name;  // name of its folder
  bool is_alive = false;
  RunRecord record;
  std::size_t later_idle_runs = 0;  // that had nothing to do

  // Whether it is running, built something, or did not end well.
  bool did_something() const;
  // "succeeded", "nothing to do", "failed", "died", …
  std::string result() const;
};

// Runs whose driver is alive, newest first.
std::vector<FoundRun> living_runs(const StateFolder& state);
// All that can be read, newest first.
std::vector<FoundRun> all_runs(const StateFolder& state);
// The latest run that tells something, else the latest; nothing if none is kept.
std::optional<FoundRun> latest_run(const StateFolder& state);
// The run that --run names, by its folder's name or a prefix of it, else latest_run(). Throws Error
// (BadInput) if there is none.
FoundRun run_asked_for(const Options& options, const StateFolder& state);
// Whether a living driver of the tree is running a stage of the environment: this stage, or any if it is
// empty.
bool runs_now(const Options& options, const std::string& environment, const std::string& stage);
inline constexpr std::size_t kRunsCompared = 20;  // number of earlier runs with which failures are compared
// The contents of the file in --expected-failures. Throws Error (BadInput) if it does not exist or cannot be
// read.
std::vector<ExpectedFailure> expected_failures(const Options& options);
// The runs before that one, newest first, at most `most`.
std::vector<RunRecord> runs_before(const StateFolder& state, const std::string& name, std::size_t most);

}  // namespace stagemake
