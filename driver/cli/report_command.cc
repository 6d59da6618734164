#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/output_file.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/kept_run.h"
#include "cli/times.h"
#include "cli/tree.h"
#include "report/html_report.h"
#include "report/junit.h"
#include "report/plain_reporter.h"
#include "report/run_json.h"
#include "report/trace.h"

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
  std::string state = run.is_alive ? "goes on" : record.exit_status ? "ended" : "died";
  return printable(text) +
         fmt::format("{} {} ago, {} {} (run {})", run.is_alive ? "begun" : state,
                     duration_text(seconds_now() - (run.is_alive ? record.began : record.last_event)),
                     run.is_alive ? "so far" : "after", duration_text(record.seconds()), run.name);
}

void print_report(const FoundRun& run, const Verdict& verdict) {
  show("{}\n{} of {} succeeded\n", heading(run), verdict.environments_well,
       counted(verdict.environments, "environment"));
  for (const std::string& line : verdict_lines(run.record, verdict)) show("  {}\n", line);
  show("\n{}", status_table(statuses(run.record), false));
}

// Standard output takes one of them; what else is said then goes to standard error.
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
    print_report(run, verdict);
  else if (is_taken)
    say("wrote " + join(written, ", "));
  else
    show("wrote {}\n", join(written, ", "));
  return 0;
}

}  // namespace stagemake
