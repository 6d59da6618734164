#include "cli/reporters.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/text/text.h"
#include "cli/colors.h"
#include "cli/times.h"
#include "report/ci/step_summary.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

// `stagemake shell …` or `stagemake logs …` as the user of this command would type it here.
std::string inside_words(const Options& options, const std::string& engine,
                         std::vector<std::string> command) {
  command.insert(command.begin(), "stagemake");
  auto add = [&](const char* option, const std::string& value) {
    command.emplace_back(option);
    command.push_back(value);
  };
  if (options.engine_given) add("--engine", engine);
  if (options.tree) add("--tree", options.tree->string());
  if (options.stages) add("--stages", options.stages->string());
  if (options.state) add("--state", options.state->string());
  return shell_quoted(command);
}

// The command that lists what a build abbreviates.
std::string report_words(const Options& options) {
  std::vector<std::string> command = {"stagemake", "report", "-v"};
  for (const auto& [option, value] : {std::pair("--tree", options.tree), std::pair("--state", options.state)})
    if (value) command.insert(command.end(), {option, value->string()});
  return shell_quoted(command);
}

PlainReporterOptions line_options(const Options& options, const std::string& engine, int descriptor) {
  bool is_terminal = is_redrawn(descriptor);
  PlainReporterOptions lines;
  lines.rest_command = report_words(options);
  lines.color = has_colors(options, descriptor);
  lines.quiet = options.quiet;
  lines.brief = is_terminal;
  lines.verbose = options.verbose;
  lines.shell_command = [&options, engine](const std::string& environment, const std::string& stage) {
    return inside_words(options, engine, {"shell", environment, stage});
  };
  lines.logs_command = [&options, engine](const std::string& environment, const std::string& stage,
                                          const std::string& package) {
    return inside_words(options, engine, {"logs", environment, stage, package});
  };
  lines.has_log = [](const std::string& log) {
    boost::system::error_code ignored;
    return fs::exists(log, ignored);
  };
  return lines;
}

}  // namespace

Reporters::Reporters(const Options& options, const std::string& engine, StandardStreams& streams,
                     RunKeys keys)
    : service_(ci_service(callers_variable)),
      is_verbose_(options.verbose),
      rest_command_(report_words(options)),
      out_(options.json ? streams.err : streams.out),
      recorder_(seconds_now),
      events_(seconds_now) {
  if (options.events) events_.add_file(*options.events);
  auto print = [this](std::string_view text) { out_.add(text); };
  bool is_terminal = is_redrawn(out_.descriptor());
  PlainReporterOptions lines = line_options(options, engine, out_.descriptor());
  std::vector<Reporter*> members = {&recorder_, &events_};
  if (is_terminal && !options.quiet) {
    terminal_ = std::make_unique<TerminalReporter>(
        TerminalReporterOptions{.out = &out_,
                                .in = STDIN_FILENO,
                                .lines = std::move(lines),
                                .stop = std::move(keys.stop),
                                .change_slots = std::move(keys.change_slots)},
        recorder_);
    members.push_back(terminal_.get());
  } else {
    lines.print = print;
    lines_ = std::make_unique<PlainReporter>(std::move(lines));
    members.push_back(lines_.get());
  }
  if (service_ != CiService::None) {
    ci_ = std::make_unique<CiReporter>(CiReporter::Options{
        .service = service_, .print = print, .now = [] { return static_cast<long long>(seconds_now()); }});
    members.push_back(ci_.get());
  }
  group_.emplace(members);
}

void Reporters::begin(const RunFacts& facts, const StateFolder& state) {
  try {
    folder_.emplace(state, std::time(nullptr));
    events_.add_file(folder_->events());
  } catch (const Error& error) {
    all().note(std::string("this run is not recorded for `stagemake report`: ") + error.what());
  }
  recorder_.facts(facts);
  events_.facts(facts);
}

std::string Reporters::name() const {
  return folder_ ? folder_->path().filename().string() : std::string();
}

void Reporters::end(int exit_status, const std::vector<RunRecord>& before,
                    const std::vector<ExpectedFailure>& expected) {
  recorder_.exits(exit_status);
  RunRecord run = recorder_.copy();
  Verdict verdict = verdict_of(run, before, expected);
  for (const std::string& line : verdict_lines(run, verdict, {.is_whole = is_verbose_, .how = rest_command_}))
    all().note(line);
  tell_ci(run, verdict);
  for (const std::string& problem : events_.problems()) all().note(problem);
  for (const std::string& problem : group_->problems()) all().note(problem);
  events_.exits(exit_status);
}

void Reporters::tell_ci(const RunRecord& run, const Verdict& verdict) {
  if (service_ != CiService::GitHub) return;
  out_.add(github_annotations(run, verdict, callers_variable("GITHUB_WORKSPACE")));
  std::string file = callers_variable("GITHUB_STEP_SUMMARY");
  if (file.empty()) return;
  try {
    if (!add_step_summary(file, run, verdict))
      all().note("the step summary is full and contains nothing of this run");
  } catch (const std::exception& error) {
    all().note(fmt::format("the step summary was not written: {}", error.what()));
  }
}

void Reporters::restore_terminal() {
  if (terminal_) terminal_->restore();
}

}  // namespace stagemake
