#include "cli/kept_run.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text/text.h"
#include "cli/tree.h"
#include "report/events/run_reader.h"
#include "report/terminal/live_view.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

std::string name_of(const KeptRun& kept) {
  return kept.events.parent_path().filename().string();
}

std::optional<FoundRun> found(const KeptRun& kept) {
  std::optional<RunRecord> record = read_run(kept.events);
  if (!record) return std::nullopt;
  return FoundRun{.name = name_of(kept), .is_alive = kept.is_alive, .record = std::move(*record)};
}

}  // namespace

bool FoundRun::did_something() const {
  bool ran = record.count(StageState::Built) > 0 || record.count(StageState::Failed) > 0 ||
             record.count(StageState::Interrupted) > 0;
  return is_alive || ran || record.exit_status != 0;
}

std::string FoundRun::result() const {
  if (is_alive) return "running";
  if (!record.exit_status) return "died";
  switch (static_cast<ExitStatus>(*record.exit_status)) {
    case ExitStatus::Ok:
      return did_something() ? "succeeded" : "nothing to do";
    case ExitStatus::StageFailed:
      return "failed";
    case ExitStatus::BadInput:
      return "bad input";
    case ExitStatus::EngineUnusable:
      return "engine failed";
    case ExitStatus::OutOfTime:
      return "out of time";
    default:
      return "stopped";
  }
}

std::vector<FoundRun> living_runs(const StateFolder& state) {
  std::vector<FoundRun> runs;
  for (const KeptRun& kept : kept_runs(state))
    if (std::optional<FoundRun> run = kept.is_alive ? found(kept) : std::nullopt)
      runs.push_back(std::move(*run));
  return runs;
}

std::vector<FoundRun> all_runs(const StateFolder& state) {
  std::vector<FoundRun> runs;
  for (const KeptRun& kept : kept_runs(state))
    if (std::optional<FoundRun> run = found(kept)) runs.push_back(std::move(*run));
  return runs;
}

std::optional<FoundRun> latest_run(const StateFolder& state) {
  std::optional<FoundRun> latest;
  std::size_t later_idle_runs = 0;
  for (const KeptRun& kept : kept_runs(state)) {
    std::optional<FoundRun> run = found(kept);
    if (!run) continue;
    run->later_idle_runs = later_idle_runs++;
    if (run->did_something()) return run;
    if (!latest) latest = std::move(run);
  }
  return latest;
}

FoundRun run_asked_for(const Options& options, const StateFolder& state) {
  if (options.run.empty()) {
    if (std::optional<FoundRun> run = latest_run(state)) return std::move(*run);
    throw bad_input("", "no run of this tree is recorded here; `stagemake build` records one");
  }
  std::vector<std::string> names;
  for (const KeptRun& kept : kept_runs(state)) {
    names.push_back(name_of(kept));
    if (!names.back().starts_with(options.run)) continue;
    if (std::optional<FoundRun> run = found(kept)) return std::move(*run);
  }
  if (names.empty())
    throw bad_input("", "no run of this tree is recorded here; `stagemake build` records one");
  throw bad_input("",
                  fmt::format("no run is recorded under the name {}; the recorded runs are {}",
                              printable(options.run), some_of(names, {.how = "`stagemake report --list`"})));
}

bool runs_now(const Options& options, const std::string& environment, const std::string& stage) {
  for (const FoundRun& run : living_runs(StateFolder(options.state, tree_path(options))))
    for (StageAddress place : running_stages(run.record)) {
      const EnvironmentRecord& one = run.record.environments[place.environment];
      if (one.name == environment && (stage.empty() || one.stages[place.stage].name == stage)) return true;
    }
  return false;
}

std::vector<ExpectedFailure> expected_failures(const Options& options) {
  if (!options.expected_failures) return {};
  std::string file = options.expected_failures->string();
  std::optional<std::string> text = read_file(*options.expected_failures);
  if (!text) throw bad_input(file, "there is no such file");
  return read_expected_failures(file, *text);
}

std::vector<RunRecord> runs_before(const StateFolder& state, const std::string& name, std::size_t most) {
  std::vector<RunRecord> runs;
  for (const KeptRun& kept : kept_runs(state)) {
    if (runs.size() >= most) break;
    if (name_of(kept) >= name) continue;
    if (std::optional<RunRecord> run = read_run(kept.events)) runs.push_back(std::move(*run));
  }
  return runs;
}

}  // namespace stagemake
