// The runs that a tree's state folder keeps, as commands name and find them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "report/event_log.h"
#include "report/verdict.h"
#include "run/run_folder.h"

namespace stagemake {

struct FoundRun {
  std::string name;  // of its folder
  bool is_alive = false;
  RunRecord record;
};

// Those whose driver lives, the youngest first.
std::vector<FoundRun> living_runs(const StateFolder& state);
// Nothing where none is kept.
std::optional<FoundRun> youngest_run(const StateFolder& state);
// The one that --run names, by its folder's name or the beginning of it, else the youngest. Throws Error
// (BadInput) where there is none.
FoundRun run_asked_for(const Options& options, const StateFolder& state);
// Whether a living driver of the tree runs a stage of the environment: this one, or, where it is empty, any.
bool runs_now(const Options& options, const std::string& environment, const std::string& stage);
inline constexpr std::size_t kRunsCompared = 20;  // with which a run's failures are compared
// What --expected-failures names; throws Error (BadInput) where it is not there or cannot be read.
std::vector<ExpectedFailure> expected_failures(const Options& options);
// Those before it, the youngest first, at most `most`.
std::vector<RunRecord> runs_before(const StateFolder& state, const std::string& name, std::size_t most);

}  // namespace stagemake
