#include "cli/reporters.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "base/callers_environment.h"
#include "base/error.h"
#include "base/text.h"
#include "cli/times.h"

namespace stagemake {
namespace {

// `stagemake shell …` as this command's user can say it here.
std::string shell_words(const Options& options, const std::string& engine, const std::string& environment,
                        const std::string& stage) {
  std::vector<std::string> command = {"stagemake", "shell", environment, stage};
  auto add = [&](const char* option, const std::string& value) {
    command.emplace_back(option);
    command.push_back(value);
  };
  if (options.engine_given) add("--engine", engine);
  if (options.tree) add("--tree", options.tree->string());
  if (options.stages) add("--stages", options.stages->string());
  return shell_quoted(command);
}

// Whether lines may be redrawn: not in CI's logs, nor where a person has said that they cannot be.
bool is_redrawn(int descriptor) {
  std::string term = callers_variable("TERM");
  return ::isatty(descriptor) == 1 && !term.empty() && term != "dumb" && callers_variable("CI").empty();
}

PlainReporterOptions line_options(const Options& options, const std::string& engine, bool is_terminal) {
  PlainReporterOptions lines;
  lines.color = options.color == "always" ||
                (options.color == "auto" && is_terminal && callers_variable("NO_COLOR").empty());
  lines.quiet = options.quiet;
  lines.brief = is_terminal;
  lines.verbose = options.verbose;
  lines.shell_command = [&options, engine](const std::string& environment, const std::string& stage) {
    return shell_words(options, engine, environment, stage);
  };
  return lines;
}

}  // namespace

Reporters::Reporters(const Options& options, const std::string& engine, StandardStreams& streams, RunKeys keys)
    : service_(ci_service(callers_variable)),
      out_(options.json ? streams.err : streams.out),
      recorder_(seconds_now),
      events_(seconds_now) {
  if (options.events) events_.add_file(*options.events);
  auto print = [this](std::string_view text) { out_.add(text); };
  bool is_terminal = is_redrawn(out_.descriptor());
  PlainReporterOptions lines = line_options(options, engine, is_terminal);
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
    all().note(std::string("this run is not kept for `stagemake report`: ") + error.what());
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
  for (const std::string& line : verdict_lines(run, verdict)) all().note(line);
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
      all().note("the step's summary is full: nothing of this run is in it");
  } catch (const std::exception& error) {
    all().note(fmt::format("the step's summary is not written: {}", error.what()));
  }
}

void Reporters::restore_terminal() {
  if (terminal_) terminal_->restore();
}

}  // namespace stagemake
