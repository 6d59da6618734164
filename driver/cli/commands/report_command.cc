#include "cli/commands/report_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/output_file.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/colors.h"
#include "cli/kept_run.h"
#include "cli/times.h"
#include "cli/tree.h"
#include "report/ci/junit.h"
#include "report/ci/trace.h"
#include "report/events/run_json.h"
#include "report/html/html_report.h"
#include "report/terminal/plain_reporter.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

std::string reproduce(const std::string& environment, const std::string& stage) {
  return shell_quoted(std::vector<std::string>{"stagemake", "repro", environment, stage});
}

std::string heading(const FoundRun& run) {
  const RunRecord& record = run.record;
  const RunFacts& facts = record.facts;
  std::string text =
      fmt::format("{}{} with {} on {}: ", facts.distribution,
                  facts.revision.empty() ? "" : " " + facts.revision, facts.engine, facts.machine);
  std::string state = run.is_alive ? "running" : record.exit_status ? "ended" : "died";
  return printable(text) +
         fmt::format("{} {} ago, {} {} (run {})", run.is_alive ? "begun" : state,
                     duration_text(seconds_now() - (run.is_alive ? record.began : record.last_event)),
                     run.is_alive ? "so far" : "after", duration_text(record.seconds()), run.name);
}

// What the logs of failed stages say.
void print_findings(const RunRecord& run) {
  for (const EnvironmentRecord& environment : run.environments)
    for (const StageRecord& stage : environment.stages) {
      std::vector<std::string> found = finding_lines(stage.status, {.is_whole = true});
      if (stage.status.state != StageState::Failed || found.empty()) continue;
      show("\n{} {}\n", printable(environment.name), printable(stage.name));
      for (const std::string& line : found) show("  {}\n", line);
    }
}

void print_report(const FoundRun& run, const Verdict& verdict, const Options& options) {
  Listing listing = listing_of(options);
  show("{}\n{} of {} succeeded\n", heading(run), verdict.environments_well,
       counted(verdict.environments, "environment"));
  if (run.later_idle_runs > 0)
    show("{} nothing to do (--list)\n", counted(run.later_idle_runs, "later run had", "later runs had"));
  for (const std::string& line : verdict_lines(run.record, verdict, listing)) show("  {}\n", line);
  show_painted("\n" + status_table(statuses(run.record), false, has_colors(options)));
  if (listing.is_whole) print_findings(run.record);
}

std::vector<std::string> environments_of(const RunRecord& run) {
  std::vector<std::string> names;
  for (const EnvironmentRecord& environment : run.environments) names.push_back(environment.name);
  return names;
}

void list_as_text(const std::vector<FoundRun>& runs, const Options& options) {
  std::size_t width = 0;
  for (const FoundRun& run : runs) width = std::max(width, run.name.size());
  if (runs.empty()) show("no run of this tree is recorded here\n");
  for (const FoundRun& run : runs) {
    show("{:<{}}  {:>12} ago  {:>12}  {:<13}  {}\n", run.name, width,
         duration_text(seconds_now() - run.record.began), duration_text(run.record.seconds()), run.result(),
         some_of(environments_of(run.record), listing_of(options), 3));
    show("{:<{}}  {}\n", "", width, shell_quoted(run.record.facts.command));
  }
}

nlohmann::ordered_json list_json(const std::vector<FoundRun>& runs) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const FoundRun& run : runs) {
    nlohmann::ordered_json status;
    if (run.record.exit_status) status = *run.record.exit_status;
    list.push_back({{"run", run.name},
                    {"began", run.record.began},
                    {"seconds", run.record.seconds()},
                    {"alive", run.is_alive},
                    {"exit_status", status},
                    {"result", run.result()},
                    {"command", run.record.facts.command},
                    {"environments", environments_of(run.record)}});
  }
  return {{"schema", 1}, {"runs", list}};
}

int list_runs(const Options& options, const StateFolder& state) {
  if (!options.run.empty() || options.html || options.junit || options.trace)
    throw bad_input("--list", "it lists all runs; --run, --html, --junit and --trace are about one run");
  std::vector<FoundRun> runs = all_runs(state);
  if (options.json)
    fmt::print("{}\n", list_json(runs).dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
  else
    list_as_text(runs, options);
  return 0;
}

// If a report goes to standard output, messages go to standard error.
bool uses_standard_output(const Options& options) {
  int uses = options.json ? 1 : 0;
  for (const std::optional<fs::path>& file : {options.html, options.junit, options.trace})
    if (file && is_standard_output(*file)) ++uses;
  if (uses > 1)
    throw bad_input(
        "", "standard output can hold one of --json, --html, --junit and --trace; name files for the others");
  return uses == 1;
}

}  // namespace

int report_command(const Options& options) {
  bool is_taken = uses_standard_output(options);
  StateFolder state(options.state, tree_path(options));
  if (options.list_runs) return list_runs(options, state);
  FoundRun run = run_asked_for(options, state);
  std::vector<RunRecord> before = runs_before(state, run.name, kRunsCompared);
  Verdict verdict = verdict_of(run.record, before, expected_failures(options));
  ReportInput input{.run = run.record, .verdict = verdict, .before = before, .reproduce = reproduce};
  std::vector<std::string> written;
  auto write = [&](const std::optional<fs::path>& file, auto&& text) {
    if (!file) return;
    write_output(*file, text());
    written.push_back(is_standard_output(*file) ? "standard output" : file->string());
  };
  write(options.html, [&] { return html_report(input); });
  write(options.junit, [&] { return junit_report(input); });
  write(options.trace, [&] { return chrome_trace(run.record); });
  if (options.json)
    fmt::print("{}\n", run_json(input).dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace));
  else if (written.empty())
    print_report(run, verdict, options);
  else if (is_taken)
    say("wrote " + join(written, ", "));
  else
    show("wrote {}\n", join(written, ", "));
  return 0;
}

}  // namespace stagemake
