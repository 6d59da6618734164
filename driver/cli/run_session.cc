#include "cli/run_session.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/process/sleep.h"
#include "base/secrets.h"
#include "cli/engine_choice.h"
#include "cli/kept_run.h"
#include "cli/options/slot_choice.h"
#include "cli/prediction.h"
#include "cli/reporters.h"
#include "run/container/adoption.h"
#include "run/container/image_survey.h"
#include "run/control/signals.h"
#include "run/control/stop_escalation.h"
#include "run/images/remote_snapshots.h"
#include "run/slots/slot_control.h"

namespace stagemake {
namespace {

constexpr std::chrono::seconds kWatchEvery{2};
constexpr double kSavingTime = 60;  // seconds before the deadline in which stagemake stops waiting for other
                                    // drivers

// Only one driver at a time works on an environment of a tree. A second one waits and reports for whom.
// Returns fewer locks than environments if a request to stop came first.
std::vector<FileLock> lock_environments(const Session& session, const std::stop_token& stop,
                                        Reporter& reporter) {
  std::vector<std::string> names;
  for (const Environment& environment : session.environments) names.push_back(environment.name);
  std::sort(names.begin(), names.end());  // the same order everywhere, so that no two drivers wait for each
                                          // other
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
      sleep_for(std::chrono::milliseconds(200), stop);
    }
  }
  return locks;
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

// `by_key`: it came from the key `q` in the terminal.
std::string signal_note(int number, unsigned count, bool by_key) {
  if (count > 1) return "second signal: killing what runs and saving it as it is";
  return fmt::format("got {}: stopping what runs and saving it; this takes up to 10 s", by_key ? "the key q"
                                                                                        : number == SIGINT
                                                                                            ? "ctrl-C"
                                                                                            : "a signal");
}

// Why to keep the registry's image of that name, if it is worth more than its replacement; empty: replace it.
std::string worth_keeping_there(Session& session, ContainerEngine& engine, const Options& options,
                                const std::string& name, const std::stop_token& stop) {
  std::optional<ImageInfo> ours = engine.find_image(name);
  std::optional<Snapshot> own = ours ? snapshot_of(*ours) : std::nullopt;
  if (!own) return {};
  std::string why;
  Registry registry(registry_options(options, stop));
  std::optional<RegistryImage> image = registry.find(name, why);
  std::optional<Snapshot> there = image ? snapshot_in(*image) : std::nullopt;
  if (image && !there && !options.take_names)
    return "the registry has an image under that name which stagemake did not make (--take-names replaces "
           "it)";
  if (!there) return {};
  std::string keeps = worth_keeping(*there, *own);
  if (keeps.empty() || session.world.trusted.empty()) return keeps;
  // The same image is pushed once more only to be signed, if an earlier run could not.
  if (image->digest == ours->digest && !session.signing_key) return keeps;
  // An image without a trusted signature does not block one with a known origin.
  std::vector<Snapshot> both{std::move(*there)};
  judge_remote(registry, both, session.world.trusted);
  Origins(session.state.origins()).judge(*own, session.world.trusted);
  return !both[0].unvouched.empty() && own->unvouched.empty() ? std::string() : keeps;
}

// Reports the predicted time in one line, if it says more than the next lines do.
void tell_estimate(const Session& session, const Options& options, unsigned slots, Reporter& reporter) {
  Prediction prediction = predicted(session, options, slots);
  if (prediction.sums.built == 0 && prediction.sums.environments == 1) return;
  reporter.expects(estimate_text(prediction.sums, prediction.seconds), prediction.seconds);
}

std::vector<HostFacts> facts_of_hosts(const Session& session) {
  std::vector<HostFacts> all;
  for (std::size_t h = 0; h < session.limits.size(); ++h) {
    const ChosenEngine& one = session.hosts[h];
    all.push_back({.name = one.host.name,
                   .place = without_secrets(one.host.place),
                   .slots = session.limits[h].slots,
                   .at_once = session.limits[h].at_once,
                   .memory = session.limits[h].memory,
                   .problem = one.problem});
  }
  return all;
}

RunFacts facts_of(const Session& session, const Options& options, unsigned at_once, unsigned slots) {
  std::string machine(256, '\0');
  if (::gethostname(machine.data(), machine.size() - 1) != 0) machine.clear();
  machine.resize(std::min(machine.find('\0'), machine.size()));
  std::vector<std::string> command;  // for files that CI keeps as artifacts
  for (const std::string& word : options.command_line) command.push_back(without_secrets(word));
  return {.version = STAGEMAKE_VERSION,
          .distribution = session.tree.table.distribution,
          .tree = session.tree.path.string(),
          .revision = session.world.revision,
          .engine = session.engine->name(),
          .machine = machine,
          .command = command,
          .process = ::getpid(),
          .processors = std::thread::hardware_concurrency(),
          .at_once = at_once,
          .slots = slots,
          .hosts = facts_of_hosts(session)};
}

// Reports why stages are built, for people who look at the run during or after it.
void note_reasons(Session& session) {
  for (EnvironmentBuild& build : session.builds) {
    bool anything = std::any_of(build.decisions.begin(), build.decisions.end(), [](const StageDecision& one) {
      return one.action == StageDecision::Action::Build;
    });
    if (!anything) continue;
    for (StageExplanation& stage : session.explain(build)) build.reasons.push_back(std::move(stage.reasons));
  }
}

// One run of a session, step by step.
class SessionRun {
 public:
  SessionRun(Session& session, const Options& options, StandardStreams& streams)
      : session_(session),
        options_(options),
        expected_(expected_failures(options)),
        choice_(session.limits.empty() ? choose_slots(options, session.environments)
                                       : slots_of_hosts(session.limits)),
        reporters_(options, session.engine->name(), streams, keys()),
        hearing_(signals_,
                 {.report = [this](int number,
                                   unsigned count) { tell(signal_note(number, count, quit_pressed_)); },
                  .end = [this](int number) { leave(number); }}) {
    session_.journal.hurry_on(signals_.token());
    if (options.deadline) time_ = RunTime{.began = session.world.clock.now(), .deadline = *options.deadline};
  }

  BuildOutcome run() {
    std::vector<FileLock> locks = lock();
    if (signals_.first() != 0) return ended_early();
    if (locks.size() < session_.environments.size()) {
      tell("the deadline passed while waiting for another run; the same command continues from here");
      return {};
    }
    if (!look()) return ended_early();
    return build();
  }

 private:
  void tell(const std::string& text) { reporters_.all().note(text); }

  BuildOutcome ended_early() {
    tell("the run was stopped before a stage began");
    return {.result = {}, .signal = signals_.first()};
  }

  // The third signal ends the driver at once. Committed work stays, and the next run adopts running
  // containers.
  void leave(int number) {
    reporters_.restore_terminal();
    if (choice_.make) choice_.make->leave();
    ::_exit(128 + number);
  }

  RunKeys keys() {
    RunKeys keys{.stop =
                     [this] {
                       quit_pressed_ = true;
                       signals_.request(SIGINT);
                     },
                 .change_slots = {}};
    if (choice_.pool)
      keys.change_slots = [this](int by) {
        std::lock_guard lock(slots_mutex_);
        if (!slots_) return tell("there is no pool of job slots to change");
        unsigned before = slots_->count();
        tell(change_slots(*slots_, by < 0 && before <= 1 ? 1 : before + static_cast<unsigned>(by)));
      };
    return keys;
  }

  // Waiting for locks also leaves time before the deadline.
  std::vector<FileLock> lock() {
    std::stop_source no_more_waiting;
    std::stop_callback on_signal(signals_.token(), [&] { no_more_waiting.request_stop(); });
    std::unique_ptr<Clock::Alarm> alarm;
    if (time_)
      alarm = session_.world.clock.at(stage_times(*time_, kSavingTime).end,
                                      [&] { no_more_waiting.request_stop(); });
    return lock_environments(session_, no_more_waiting.get_token(), reporters_.all());
  }

  // False if a signal came in between: then too little is known to begin.
  bool look() {
    std::stop_callback on_signal(signals_.token(), [this] { session_.describing->stop(); });
    auto is_stopped = [this] { return signals_.token().stop_requested(); };
    std::map<std::string, std::string> problems;  // by environment: why old containers cannot be saved
    for (ChosenEngine& host : session_.hosts) try {
        if (host.problem.empty() && !adopt(*host.engine, problems)) return false;
      } catch (const EngineError& error) {  // it went away; the others build
        if (session_.hosts.size() == 1) throw;
        host.problem = error.what();
      }
    session_.look(options_, signals_.token());
    for (EnvironmentBuild& build : session_.builds)
      if (auto found = problems.find(build.plan.environment.name); found != problems.end())
        build.problem = found->second;
    session_.settle_tags(options_);
    if (is_stopped()) return false;
    reporters_.begin(facts_of(session_, options_, stages_at_once(options_, choice_.count), choice_.count),
                     session_.state);
    for (const std::string& problem : session_.problems) tell(problem);
    if (std::string word = !session_.limits.empty()
                               ? std::string()
                               : remember_engine(options_, session_.state, session_.engine->name());
        !word.empty())
      tell(word);
    tell_estimate(session_, options_, choice_.count, reporters_.all());
    note_reasons(session_);
    return true;
  }

  // False if a signal came in between. `problems`: by environment.
  bool adopt(ContainerEngine& engine, std::map<std::string, std::string>& problems) {
    auto is_stopped = [this] { return signals_.token().stop_requested(); };
    std::set<std::string> left = environments_left_behind(engine, session_.state, session_.environments);
    for (const Environment& environment : session_.environments) {
      if (is_stopped()) return false;
      if (!left.contains(environment.name)) continue;
      session_.settle_tags(options_);
      if (is_stopped()) return false;
      try {
        adopt_containers(with_engine(session_.world, engine), environment, signals_.token(), reporters_.all(),
                         time_, signals_.kill_token(), options_.discard_unsaved);
      } catch (const EngineError& error) {
        if (session_.environments.size() == 1) throw;
        problems[environment.name] = error.what();
      }
    }
    return true;
  }

  // tox's images are pushed separately: one for each target, when it is built.
  bool pushes() const { return !session_.world.push_repository.empty() && options_.verb == Verb::Build; }

  PushOptions push_options(ContainerEngine& engine) {
    PushOptions how{.keeps =
                        [this, &engine](const std::string& name, const std::stop_token& stop) {
                          return worth_keeping_there(session_, engine, options_, name, stop);
                        },
                    .stop = signals_.token(),
                    .kill = signals_.kill_token(),
                    .deadline = options_.deadline};
    sign_pushes(how, session_, engine, options_);
    return how;
  }

  // The hosts of the run, with a pool of job slots for each on this machine.
  std::vector<BuildHost> build_hosts(std::deque<PushQueue>& queues) {
    std::vector<BuildHost> hosts;
    std::vector<std::string> shares;  // hosts whose makes share no job slots
    for (std::size_t h = 0; h < session_.limits.size(); ++h) {
      ChosenEngine& one = session_.hosts[h];
      const DispatchLimits& limits = session_.limits[h];
      BuildHost host{.name = one.host.name,
                     .engine = *one.engine,
                     .slots = limits.slots,
                     .at_once = limits.at_once,
                     .memory = limits.memory,
                     .problem = one.problem};
      if (one.problem.empty() && why_no_slots(session_, *one.engine).empty())
        host.pool = &pools_.emplace_back(limits.slots);
      else if (one.problem.empty())
        shares.push_back(one.host.name);
      if (pushes())
        host.pushes = &queues.emplace_back(*one.engine, session_.world.clock, session_.journal,
                                           reporters_.all(), push_options(*one.engine));
      hosts.push_back(std::move(host));
    }
    if (!shares.empty())
      tell(
          fmt::format("makes on {} share no job slots, because the pipe for them cannot leave this machine: "
                      "each stage gets an equal share",
                      join(shares, ", ")));
    return hosts;
  }

  BuildOutcome build() {
    if (!session_.limits.empty()) return build_on_hosts();
    std::optional<PushQueue> queue;
    if (pushes())
      queue.emplace(*session_.engine, session_.world.clock, session_.journal, reporters_.all(),
                    push_options(*session_.engine));
    std::optional<SlotControl> control;
    begin_slots();
    if (slots_) control.emplace(session_.state.pools(), *slots_, reporters_.all());
    BuildOptions how = build_options();
    how.at_once = stages_at_once(options_, choice_.count);
    how.slots = slots_ ? &*slots_ : nullptr;
    how.memory = memory_for_stages(options_);
    how.pushes = queue ? &*queue : nullptr;
    BuildOutcome outcome = run(how);
    if (queue) outcome.pushes = queue->finish();
    return end(std::move(outcome));
  }

  BuildOutcome build_on_hosts() {
    std::deque<PushQueue> queues;
    BuildOptions how = build_options();
    how.hosts = build_hosts(queues);
    how.at_once = 0;
    for (const BuildHost& host : how.hosts) how.at_once += host.at_once;
    how.look_again = [this](const std::string& environment, const std::stop_token& stop) {
      return session_.look_in_registries(options_, environment, stop);
    };
    BuildOutcome outcome = run(how);
    for (PushQueue& queue : queues) {
      PushResults results = queue.finish();
      auto add = [](std::vector<std::string>& all, const std::vector<std::string>& more) {
        all.insert(all.end(), more.begin(), more.end());
      };
      add(outcome.pushes.pushed, results.pushed);
      add(outcome.pushes.kept, results.kept);
      add(outcome.pushes.failed, results.failed);
    }
    return end(std::move(outcome));
  }

  // Those that do not depend on the number of machines.
  BuildOptions build_options() {
    return {.keep_going = options_.keep_going,
            .stop = signals_.token(),
            .kill = signals_.kill_token(),
            .time = time_,
            .min_free = options_.min_free.value_or(0),
            .stall = options_.stall,
            .checkpoint = options_.checkpoint,
            .watch_every = kWatchEvery,
            .predicted_slots = choice_.count};
  }

  BuildOutcome run(const BuildOptions& how) {
    BuildOutcome outcome{.push_required = options_.push == Options::Push::Required};
    outcome.result = run_builds(session_.world, session_.builds, how, reporters_.all());
    return outcome;
  }

  BuildOutcome end(BuildOutcome outcome) {
    if (std::optional<std::string> problem = session_.journal.untold_problem()) tell(*problem);
    outcome.signal = signals_.first();
    end(outcome.exit_status());
    return outcome;
  }

  // If a pool is impossible and --slots was not given, the build runs without one.
  void begin_slots() {
    if (!choice_.note.empty()) tell(choice_.note);
    std::string why_not = choice_.pool ? why_no_slots(session_, *session_.engine) : std::string();
    if (choice_.pool && (choice_.is_asked || why_not.empty())) {
      std::lock_guard lock(slots_mutex_);
      if (choice_.make)
        slots_.emplace(*choice_.make, choice_.count);
      else
        slots_.emplace(choice_.count);
      return;
    }
    if (!why_not.empty())
      tell(fmt::format("makes do not share job slots, and each gets some of its own: {}", why_not));
    give_fair_shares(session_.builds, stages_at_once(options_, choice_.count));
  }

  // Earlier runs only matter if something failed.
  void end(int status) {
    std::vector<RunRecord> before;
    if (status != 0 && !reporters_.name().empty())
      before = runs_before(session_.state, reporters_.name(), kRunsCompared);
    reporters_.end(status, before, expected_);
  }

  Session& session_;
  const Options& options_;
  const std::vector<ExpectedFailure> expected_;
  std::optional<RunTime> time_;
  const SlotChoice choice_;
  std::mutex slots_mutex_;  // keys may be pressed while the pool is created
  std::optional<JobSlots> slots_;
  std::deque<JobSlots> pools_;  // of several hosts
  std::atomic<bool> quit_pressed_ = false;
  SignalWatch signals_;
  Reporters reporters_;           // its keys change the above
  SignalWatch::Hearing hearing_;  // last: it reports
};

}  // namespace

BuildOutcome run_session(Session& session, const Options& options, StandardStreams& streams) {
  // A closed pipe or a full file is an error of one write, and must not end the build.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  return SessionRun(session, options, streams).run();
}

}  // namespace stagemake
