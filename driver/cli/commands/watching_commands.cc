#include "cli/commands/watching_commands.h"

// Commands that look at runs, during or after them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process/sleep.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/colors.h"
#include "cli/inspection.h"
#include "cli/kept_run.h"
#include "cli/log_output.h"
#include "cli/package_log.h"
#include "cli/times.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "report/events/run_reader.h"
#include "report/terminal/live_view.h"
#include "run/state/run_folder.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::chrono::milliseconds kFollow{200};  // between checks of a growing log

unsigned columns() {
  winsize size{};
  bool is_terminal = ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return is_terminal && size.ws_col > 0 ? size.ws_col : 100;
}

std::string first_line(const FoundRun& run, double now) {
  const RunFacts& facts = run.record.facts;
  std::string text = facts.distribution + (facts.revision.empty() ? "" : " " + facts.revision);
  std::string when = duration_text(now - run.record.began);
  if (run.is_alive)
    return fmt::format("{}: process {} on {}, begun {} ago", printable(text), facts.process,
                       printable(facts.machine), when);
  return fmt::format("{}: {} {} ago, after {}", printable(text), run.record.ended > 0 ? "ended" : "died",
                     duration_text(now - run.record.last_event), duration_text(run.record.seconds()));
}

ordered_json status_json(const FoundRun& run, double now) {
  Progress progress = progress_of(run.record, now);
  ordered_json running = ordered_json::array();
  for (StageAddress place : running_stages(run.record)) {
    const EnvironmentRecord& environment = run.record.environments[place.environment];
    const StageRecord& stage = environment.stages[place.stage];
    std::vector<std::string> packages;
    for (const PackageRecord& package : stage.packages)
      if (package.state == PackageState::Building) packages.push_back(package.name);
    StageLeft left = stage_left(run.record, place, now);
    running.push_back({{"environment", environment.name},
                       {"stage", stage.name},
                       {"seconds", now - stage.began},
                       {"expected_seconds", now - stage.began + left.seconds},
                       {"seconds_left", left.seconds},
                       {"overdue", left.is_overdue},
                       {"packages", packages},
                       {"log", stage.status.log}});
  }
  return {{"run", run.name},
          {"alive", run.is_alive},
          {"process", run.record.facts.process},
          {"began", run.record.began},
          {"stages", progress.stages},
          {"stages_done", progress.stages_done},
          {"packages", progress.packages},
          {"packages_done", progress.packages_done},
          {"failed", progress.failed},
          {"waiting", progress.waiting},
          {"fraction", progress.fraction},
          {"seconds_left", progress.seconds_left},
          {"overdue", progress.is_overdue},
          {"running", running}};
}

void print_status(const FoundRun& run, double now, bool color) {
  show("{}\n", first_line(run, now));
  if (!run.is_alive) {
    for (StageState state : {StageState::Built, StageState::Reused, StageState::Failed,
                             StageState::Interrupted, StageState::Running, StageState::Skipped})
      if (std::size_t count = run.record.count(state); count > 0)
        show("  {} {}\n", count, state == StageState::Running ? "were running" : word(state));
    return;
  }
  for (const std::string& line :
       live_block(run.record, now, {.columns = columns(), .rows = 10'000, .color = color}))
    show_painted(line + "\n");
}

// Prints a log, and also what is appended to it while `goes_on` returns true. If a new file replaces it, the
// old one is still read.
void print_file(const fs::path& file, const std::function<bool()>& goes_on) {
  int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw bad_input(file.string(), "this log no longer exists");
  std::string buffer(1 << 16, '\0');
  bool last = false;
  bool failed = false;
  LogOutput output(log_form(), [&](std::string_view text) {
    failed = failed || std::fwrite(text.data(), 1, text.size(), stdout) != text.size();
  });
  while (true) {
    ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n > 0) {
      output.take(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
      if (failed) break;
      continue;
    }
    std::fflush(stdout);
    if (n < 0 || last || !goes_on) break;
    last = !goes_on();  // reads once more what was written before the end
    if (!last) sleep_for(kFollow);
  }
  output.end();
  ::close(descriptor);
}

// The stage of the environment that is running, or ran last, in the newest run with the environment.
const StageRecord* last_stage(const RunRecord& run, const std::string& environment) {
  const StageRecord* best = nullptr;
  for (const EnvironmentRecord& one : run.environments)
    for (const StageRecord& stage : one.stages)
      if (one.name == environment && !stage.status.log.empty() &&
          (best == nullptr || stage.began >= best->began))
        best = &stage;
  return best;
}

// Why there is nothing to show: the names may be mistyped.
void check_names_of_log(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Images);
  if (!options.stage.empty()) stage_named(tree.table, options.stage);
  check_names(options, tree, {});
}

std::string stage_to_show(const Options& options, const StateFolder& state, const std::string& environment) {
  if (!options.stage.empty()) return options.stage;
  for (const KeptRun& kept : kept_runs(state)) {
    std::optional<RunRecord> run = read_run(kept.events);
    if (const StageRecord* stage = run ? last_stage(*run, environment) : nullptr) return stage->name;
  }
  check_names_of_log(options);
  throw bad_input("", fmt::format("no recorded run has built anything of {}", printable(environment)));
}

}  // namespace

int status_command(const Options& options) {
  StateFolder state(options.state, tree_path(options));
  double now = seconds_now();
  std::vector<FoundRun> runs = living_runs(state);
  if (options.json) {
    ordered_json list = ordered_json::array();
    for (const FoundRun& run : runs) list.push_back(status_json(run, now));
    fmt::print("{}\n", ordered_json({{"schema", 1}, {"runs", list}})
                           .dump(2, ' ', true, ordered_json::error_handler_t::replace));
    return 0;
  }
  if (runs.empty()) {
    show("nothing is being built in this tree now\n");
    if (std::optional<FoundRun> last = latest_run(state)) print_status(*last, now, false);
  }
  for (const FoundRun& run : runs) print_status(run, now, has_colors(options));
  return 0;
}

int logs_command(const Options& options) {
  StateFolder state(options.state, tree_path(options));
  std::string environment = environment_name(options.environments.front());
  std::string stage = stage_to_show(options, state, environment);
  if (!options.package.empty()) return package_log(options, environment, stage);
  fs::path log = state.log(environment, stage);
  boost::system::error_code ignored;
  if (!fs::exists(log, ignored)) {
    check_names_of_log(options);
    throw bad_input("", fmt::format("there is no log of {} {}: it was never built here, or its log belongs "
                                    "to another tree or --state",
                                    printable(environment), printable(stage)));
  }
  say(log.string());
  std::function<bool()> goes_on;
  if (options.follow) goes_on = [&] { return runs_now(options, environment, stage); };
  print_file(log, goes_on);
  return 0;
}

}  // namespace stagemake
