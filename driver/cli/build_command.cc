#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "report/plain_reporter.h"
#include "run/adoption.h"
#include "run/build.h"
#include "run/image_survey.h"
#include "run/ladder.h"
#include "run/outlook.h"
#include "run/remote_snapshots.h"
#include "run/signals.h"
#include "run/slot_control.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr double kSavingTime = 60;  // seconds before the deadline in which nobody else is waited for any more
constexpr std::size_t kMostCandidates = 10;  // shown to people; programs get all

// Where a build could begin, the best first.
void print_candidates(const EnvironmentBuild& build) {
  std::string stage;
  std::size_t shown = 0;
  std::size_t left_out = 0;
  auto tell_left_out = [&] {
    if (left_out > 0) fmt::print("    and {} more (--json has all)\n", left_out);
    shown = left_out = 0;
  };
  for (const CandidateExplanation& candidate :
       explain_candidates(build.plan, build.decisions, std::time(nullptr))) {
    if (candidate.stage != stage) {
      tell_left_out();
      stage = candidate.stage;
      fmt::print("  {} may begin in:\n", stage);
    }
    if (++shown > kMostCandidates) {
      ++left_out;
      continue;
    }
    bool usable = candidate.verdict == "chosen" || candidate.verdict == "slower";
    fmt::print("    {} {}\n", candidate.verdict == "chosen" ? '*' : usable ? '-' : 'x', candidate.image);
    fmt::print("      {}\n", usable ? candidate.text() : "not used: " + candidate.verdict);
  }
  tell_left_out();
}

void print_explanations(Session& session, bool with_reasons) {
  for (const std::string& problem : session.problems) fmt::print("note: {}\n", problem);
  for (const EnvironmentBuild& build : session.builds) {
    fmt::print("{} with {}\n", build.plan.environment.name, session.engine->name());
    std::size_t width = 0;
    for (const PlannedStage& stage : build.plan.stages) width = std::max(width, stage.name.size());
    for (const StageExplanation& stage : session.explain(build)) {
      fmt::print("  {:<{}}  {:<5}  {}\n", stage.stage, width, stage.action, stage.headline);
      if (with_reasons)
        for (const std::string& reason : stage.reasons)
          fmt::print("  {:<{}}         {}\n", "", width, reason);
    }
    for (const std::string& note : build.notes) fmt::print("note: {}\n", note);
    if (with_reasons) print_candidates(build);
  }
}

ordered_json explanations_json(Session& session) {
  ordered_json environments = ordered_json::array();
  for (const EnvironmentBuild& build : session.builds)
    environments.push_back({{"name", build.plan.environment.name},
                            {"stages", ordered_json(to_json(session.explain(build)))},
                            {"candidates", ordered_json(to_json(explain_candidates(
                                               build.plan, build.decisions, std::time(nullptr))))},
                            {"notes", build.notes}});
  return {{"schema", 1},
          {"engine", session.engine->name()},
          {"environments", environments},
          {"problems", session.problems}};
}

std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

void print_forecast(Session& session, const Options& options) {
  if (options.json)
    fmt::print("{}\n", dumped(explanations_json(session)));
  else
    print_explanations(session, options.verb == Verb::Explain);
}

ordered_json result_json(const BuildOutcome& outcome) {
  const BuildResult& result = *outcome.result;
  ordered_json environments = ordered_json::array();
  for (const EnvironmentStatus& environment : result.environments) {
    ordered_json stages = ordered_json::array();
    for (std::size_t i = 0; i < environment.stages.size(); ++i) {
      const StageStatus& stage = environment.stages[i];
      stages.push_back({{"name", environment.stage_names[i]},
                        {"state", word(stage.state)},
                        {"seconds", stage.seconds},
                        {"image", stage.image},
                        {"log", stage.log},
                        {"detail", stage.detail}});
    }
    environments.push_back({{"name", environment.name}, {"stages", stages}});
  }
  return {{"schema", 1},
          {"environments", environments},
          {"out_of_time", result.out_of_time},
          {"pushed", outcome.pushes.pushed},
          {"not_pushed", outcome.pushes.failed}};
}

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

PlainReporterOptions reporter_options(const Options& options, const std::string& engine) {
  PlainReporterOptions reporter;
  reporter.out = options.json ? stderr : stdout;
  int descriptor = ::fileno(reporter.out);
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  bool is_terminal = ::isatty(descriptor) == 1;
  reporter.terminal =
      is_terminal && term != nullptr && std::string_view(term) != "dumb" && std::getenv("CI") == nullptr;
  reporter.color = options.color == "always" || (options.color == "auto" && reporter.terminal &&
                                                 (no_color == nullptr || *no_color == '\0'));
  reporter.quiet = options.quiet;
  reporter.verbose = options.verbose;
  winsize size{};
  if (is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    reporter.columns = size.ws_col;
  reporter.shell_command = [&options, engine](const std::string& environment, const std::string& stage) {
    return shell_words(options, engine, environment, stage);
  };
  return reporter;
}

// One driver at a time works on an environment of a tree. A second one waits, and says for whom.
// Fewer locks than environments where a request to stop came first.
std::vector<FileLock> lock_environments(const Session& session, const std::stop_token& stop,
                                        Reporter& reporter) {
  std::vector<std::string> names;
  for (const Environment& environment : session.environments) names.push_back(environment.name);
  std::sort(names.begin(), names.end());  // the same order everywhere: no two drivers wait for each other
  std::vector<FileLock> locks;
  for (const std::string& name : names) {
    fs::path file = session.state.environment_lock(name);
    bool told = false;
    while (!stop.stop_requested()) {
      if (std::optional<FileLock> lock = FileLock::try_take(file)) {
        locks.push_back(std::move(*lock));
        break;
      }
      if (!std::exchange(told, true))
        reporter.note(fmt::format("{}: waiting for {}, which builds it", name, FileLock::holder(file)));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  return locks;
}

void print_calls(const ContainerEngine& engine) {
  std::vector<std::string> calls;
  for (const auto& [verb, count] : engine.calls()) calls.push_back(fmt::format("{} {}", count, verb));
  fmt::print("engine calls: {}\n", calls.empty() ? "none" : join(calls, ", "));
}

}  // namespace

int BuildOutcome::exit_status() const {
  if (signal != 0) return 128 + signal;
  if (!result) return static_cast<int>(ExitStatus::OutOfTime);
  if (result->engine_failed) return static_cast<int>(ExitStatus::EngineUnusable);
  if (result->out_of_time) return static_cast<int>(ExitStatus::OutOfTime);
  if (result->input_failed && !result->stage_failed) return static_cast<int>(ExitStatus::BadInput);
  bool well = result->all_well() && (pushes.failed.empty() || !push_required);
  return static_cast<int>(well ? ExitStatus::Ok : ExitStatus::StageFailed);
}

namespace {

// The first signal asks for an orderly end, the second for a quick one; after the third nothing is waited
// for. What was committed stays, and what runs in containers the next run takes over.
void tell_signal(Reporter& reporter, int number, unsigned count) {
  if (count == 1)
    reporter.note(fmt::format("got {}: ending what runs and saving it; this takes up to 10 s",
                              number == SIGINT ? "ctrl-C" : "a signal"));
  else if (count == 2)
    reporter.note("once more: what runs is killed, and saved as it is");
  else
    ::_exit(128 + number);
}

// What is in the registry under a name stays there where it is worth more than what would replace it.
std::string worth_keeping_there(Session& session, const Options& options, const std::string& name) {
  std::optional<ImageInfo> ours = session.engine->find_image(name);
  std::optional<Snapshot> own = ours ? snapshot_of(*ours) : std::nullopt;
  if (!own) return {};
  std::string why;
  std::optional<RegistryImage> image = Registry(registry_options(options)).find(name, why);
  std::optional<Snapshot> there = image ? snapshot_in(*image) : std::nullopt;
  return there ? worth_keeping(*there, *own) : std::string();
}

// What is to be expected, in one line, where that is more than what the next lines say anyway.
void tell_outlook(const Session& session, const Options& options, Reporter& reporter) {
  Outlook outlook = outlook_of(session.world, session.builds);
  OutlookSums sums = sums_of(session.world, outlook, session.builds);
  if (sums.built == 0 && sums.environments == 1) return;
  unsigned slots = options.slots > 0 ? options.slots : std::max(1u, std::thread::hardware_concurrency());
  Simulated simulated = simulate(outlook.simulated, {.slots = slots, .at_once = options.at_once});
  reporter.note(outlook_text(sums, simulated.makespan));
}

}  // namespace

BuildOutcome run_session(Session& session, const Options& options) {
  ::signal(SIGPIPE, SIG_IGN);  // whoever read our lines may go; the build goes on
  PlainReporter reporter(reporter_options(options, session.engine->name()));
  SignalWatch signals([&](int number, unsigned count) { tell_signal(reporter, number, count); });
  // What must be waited for before anything can begin leaves time before the deadline, too.
  std::stop_source no_more_waiting;
  std::stop_callback on_signal(signals.token(), [&] { no_more_waiting.request_stop(); });
  std::optional<RunTime> time;
  if (options.deadline) time = RunTime{.began = session.world.clock.now(), .deadline = *options.deadline};
  std::unique_ptr<Clock::Alarm> alarm;
  if (time)
    alarm =
        session.world.clock.at(stage_times(*time, kSavingTime).end, [&] { no_more_waiting.request_stop(); });
  std::vector<FileLock> locks = lock_environments(session, no_more_waiting.get_token(), reporter);
  if (signals.first() != 0) return {.result = {}, .signal = signals.first()};
  if (locks.size() < session.environments.size()) {
    reporter.note("the deadline came while another run was waited for; the same command goes on from here");
    return {};
  }
  for (const Environment& environment : session.environments) {
    if (left_containers(session.world, environment.name).empty()) continue;
    session.settle_tags(options);
    adopt_containers(session.world, environment, signals.token(), reporter, time);
  }
  session.look(options);
  session.settle_tags(options);
  for (const std::string& problem : session.problems) reporter.note(problem);
  tell_outlook(session, options, reporter);
  std::optional<PushQueue> pushes;
  // tox's images go to the registry by themselves: one for each target, when it is done.
  if (!session.world.push_repository.empty() && options.verb == Verb::Build)
    pushes.emplace(
        *session.engine, session.world.clock, session.journal, reporter,
        PushOptions{
            .keeps = [&](const std::string& name) { return worth_keeping_there(session, options, name); },
            .stop = signals.token(),
            .kill = signals.kill_token(),
            .deadline = options.deadline});
  std::optional<JobSlots> slots;
  std::optional<SlotControl> control;
  if (options.slots > 0) {
    slots.emplace(options.slots);
    control.emplace(session.state.pools(), *slots, reporter);
  }
  BuildOutcome outcome{.push_required = options.push == Options::Push::Required};
  outcome.result = run_builds(session.world, session.builds,
                              {.keep_going = options.keep_going,
                               .at_once = options.at_once,
                               .stop = signals.token(),
                               .kill = signals.kill_token(),
                               .time = time,
                               .stall = options.stall,
                               .slots = slots ? &*slots : nullptr,
                               .pushes = pushes ? &*pushes : nullptr},
                              reporter);
  if (pushes) outcome.pushes = pushes->finish();
  if (std::optional<std::string> problem = session.journal.untold_problem()) reporter.note(*problem);
  outcome.signal = signals.first();
  return outcome;
}

int build_command(const Options& options) {
  Session session(options);
  if (options.dry_run) {
    session.look(options);
    print_forecast(session, options);
    return 0;
  }
  BuildOutcome outcome = run_session(session, options);
  if (options.json && outcome.result) fmt::print("{}\n", dumped(result_json(outcome)));
  if (options.count_calls) print_calls(*session.engine);
  return outcome.exit_status();
}

int jobs_command(const Options& options) {
  std::vector<std::string> asked =
      SlotControl::ask(StateFolder(options.state, tree_path(options)).pools(), options.slots);
  if (asked.empty()) {
    fmt::print(stderr,
               "stagemake: no build of this tree shares job slots now (`stagemake build --slots N`)\n");
    return static_cast<int>(ExitStatus::StageFailed);
  }
  for (const std::string& who : asked)
    fmt::print("{}: {} job slots from now on\n", printable(who), options.slots);
  return 0;
}

int explain_command(const Options& options) {
  Session session(options);
  session.look(options);
  print_forecast(session, options);
  return 0;
}

}  // namespace stagemake
