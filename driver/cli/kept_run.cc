#include "cli/kept_run.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/tree.h"
#include "report/live_view.h"

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

std::vector<FoundRun> living_runs(const StateFolder& state) {
  std::vector<FoundRun> runs;
  for (const KeptRun& kept : kept_runs(state))
    if (std::optional<FoundRun> run = kept.is_alive ? found(kept) : std::nullopt)
      runs.push_back(std::move(*run));
  return runs;
}

std::optional<FoundRun> youngest_run(const StateFolder& state) {
  for (const KeptRun& kept : kept_runs(state))
    if (std::optional<FoundRun> run = found(kept)) return run;
  return std::nullopt;
}

FoundRun run_asked_for(const Options& options, const StateFolder& state) {
  std::vector<std::string> names;
  for (const KeptRun& kept : kept_runs(state)) {
    if (!name_of(kept).starts_with(options.run)) {
      names.push_back(name_of(kept));
      continue;
    }
    if (std::optional<FoundRun> run = found(kept)) return std::move(*run);
  }
  if (!names.empty())
    throw bad_input("", fmt::format("no run is kept under the name {}; there are {}", printable(options.run),
                                    some_of(names)));
  throw bad_input("", "no run of this tree is kept here: `stagemake build` makes one");
}

bool runs_now(const Options& options, const std::string& environment, const std::string& stage) {
  for (const FoundRun& run : living_runs(StateFolder(options.state, tree_path(options))))
    for (StagePlace place : running_stages(run.record)) {
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
