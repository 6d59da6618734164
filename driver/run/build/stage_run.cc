#include "run/build/stage_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "base/caught_error.h"
#include "base/text/text.h"
#include "run/build/environment_run.h"
#include "run/build/hosts.h"
#include "run/build/stage_log.h"
#include "run/container/adoption.h"
#include "run/container/image_survey.h"
#include "run/container/pooled_make.h"
#include "run/control/stall_watch.h"
#include "run/images/foreign_names.h"

namespace stagemake {
namespace {

using Action = StageDecision::Action;

constexpr double kUnknownStageBytes = 500e6;  // to predict the time of a push
constexpr double kRoomMargin = 1.2;           // times what a stage took last

// Bytes that a stage added to the image that it started from; 0 if one of the sizes is not known.
std::uint64_t grown_by(const SnapshotPtr& image, std::uint64_t before) {
  return image != nullptr && before > 0 && image->size > before ? image->size - before : 0;
}

// With this many job slots. With `in_detail`, each package has its own entry.
StageExpectation expectation_of(const SimulatedStage& stage, const PackageIndex& packages, unsigned slots,
                                bool in_detail) {
  StageExpectation expectation{
      .seconds = stage.seconds_with(slots), .work = stage.work(), .packages = stage.packages.size()};
  if (in_detail)
    for (const SimulatedPackage& package : stage.packages)
      expectation.makes.push_back(
          {.name = packages[package.id].name, .seconds = package.seconds, .needs = package.needs});
  return expectation;
}

// The outcome of a stage, for the journal.
StageOutcome outcome_of(const RunOutcome& outcome, StopReason reason) {
  if (outcome.ok()) return StageOutcome::Built;
  if (reason == StopReason::Deadline) return StageOutcome::Partial;
  return reason == StopReason::Signal ? StageOutcome::Interrupted : StageOutcome::Failed;
}

}  // namespace

StageRun::StageRun(EnvironmentRun& environment, std::size_t index)
    : environment_(environment), index_(index) {
  forget();
}

const RunContext& StageRun::here() const {
  return environment_.here();
}

void StageRun::change(StageStatus status) {
  bool has_place = status.state == StageState::Running || did_run(status.state);
  if (here().hosts != nullptr && has_place) status.host = here().hosts->name(here().host);
  here().progress.change(address(), std::move(status));
}

SnapshotPtr StageRun::made() const {
  std::lock_guard lock(made_mutex_);
  return made_;
}

void StageRun::forget() {
  start_.reset();
  open_.reset();
  records_.reset();
  checkpoints_.emplace(here(), environment_.plan(), index_, environment_.setting().is_richer);
  std::lock_guard lock(made_mutex_);
  made_.reset();
}

StageAddress StageRun::address() const {
  return {.environment = environment_.index(), .stage = index_};
}

const PlannedStage& StageRun::plan() const {
  return environment_.plan().stages[index_];
}

const std::string& StageRun::name() const {
  return plan().name;
}

StageDecision& StageRun::decision() {
  return environment_.build().decisions[index_];
}

const StageDecision& StageRun::decision() const {
  return environment_.build().decisions[index_];
}

StageRun* StageRun::parent() {
  return plan().parent ? &environment_.stage(*plan().parent) : nullptr;
}

// --- What is expected of it

void StageRun::plan_step(std::size_t step, SimulatedStage estimate) {
  step_ = step;
  StageExpectation expected =
      expectation_of(estimate, here().world.packages, here().predicted_slots(), false);
  const std::vector<std::vector<std::string>>& reasons = environment_.build().reasons;
  if (index_ < reasons.size()) expected.reasons = reasons[index_];
  here().progress.set_expected(address(), std::move(expected));
  estimate_ = std::move(estimate);
}

void StageRun::expect(SimulatedStage estimate) {
  {
    std::lock_guard lock(estimate_mutex_);
    if (!estimate_ || status().state != StageState::Waiting) return;
    estimate_ = std::move(estimate);
  }
  tell_expected(false);
}

// When it starts, each package is listed, too (`in_detail`).
void StageRun::tell_expected(bool in_detail) {
  std::lock_guard lock(estimate_mutex_);
  if (estimate_)
    here().progress.expect(
        address(), expectation_of(*estimate_, here().world.packages, here().predicted_slots(), in_detail));
}

// Before the deadline, the commit and, if requested, the push need time.
std::optional<StageTimes> StageRun::times() const {
  if (!here().options.time) return std::nullopt;
  const Predictions& predictions = here().world.predictions;
  double saving = predictions.commit_seconds(environment_.name(), name());
  if (here().options.pushes != nullptr) {
    std::uint64_t bytes = predictions.stage_bytes(environment_.name(), name())
                              .value_or(static_cast<std::uint64_t>(kUnknownStageBytes));
    // Pushes run one after the other.
    auto at_once = static_cast<double>(std::min<std::size_t>(here().options.at_once, here().environments));
    saving += at_once * predictions.push_seconds(bytes, registry_host(here().world.push_repository));
  }
  return stage_times(*here().options.time, saving);
}

// Bytes that it will add to the engine's storage, predicted from earlier runs; 0 if not known.
std::uint64_t StageRun::predicted_bytes() const {
  std::optional<std::uint64_t> took = here().world.predictions.stage_bytes(environment_.name(), name());
  // Packages that are ready take no more space.
  double part = 1;
  if (const std::optional<Candidate>& start = decision().start; start && !plan().packages.empty())
    part = static_cast<double>(start->to_build.size()) /
           static_cast<double>(std::max<std::size_t>(1, start->ready + start->to_build.size()));
  return static_cast<std::uint64_t>(kRoomMargin * part * static_cast<double>(took.value_or(0)));
}

// --- Its step

void StageRun::step(std::optional<std::size_t> host) {
  try {
    if (environment_.begin_step(host, index_)) take_step();
  } catch (...) {
    Attempt attempt{.began = here().world.clock.now()};
    escaped(attempt);
  }
  environment_.end_step(index_);
}

void StageRun::take_step() {
  if (status().state == StageState::Failed) return;  // the environment cannot start
  if (decision().action == Action::Reuse) {
    // Built before everything began again.
    if (status().state != StageState::Built) reuse();
    return;
  }
  if (std::string why = reason_to_skip(); !why.empty()) {
    if (parent() != nullptr) parent()->save_open();
    return change({.state = StageState::Skipped, .detail = why});
  }
  build();
}

// Why it is not started; empty if it is.
std::string StageRun::reason_to_skip() {
  if (StageRun* before = parent()) {
    StageState state = before->status().state;
    if (state != StageState::Built && state != StageState::Reused)
      return fmt::format("{} did not succeed", before->name());
  }
  if (here().options.stop.stop_requested() || (here().progress.has_failed() && !here().options.keep_going))
    return "the run was stopped";
  std::optional<StageTimes> limits = times();
  if (!limits) return {};
  double left = limits->end - here().world.clock.now();
  // A stage that makes no packages leaves nothing usable if it is cut off.
  bool makes = !plan().make_targets.empty();
  double takes = makes ? 0 : here().world.predictions.stage_seconds(environment_.name(), name()).value_or(0);
  if (here().world.clock.now() < limits->close && takes <= left) return {};
  here().progress.run_out_of_time();
  return "the deadline is near";
}

// Gives the reused image this build's names, unless it has them.
void StageRun::reuse() {
  const Snapshot& image = *decision().image;
  if (!image.complete || image.is_remote()) return;
  try {
    for (const std::string& name : here().names.of(environment_.plan(), index_))
      if (std::find(image.names.begin(), image.names.end(), name) == image.names.end())
        here().names.give(image.image, name);
    if (std::string why = here().names.reason_not_to_push(environment_.plan(), index_, image); !why.empty())
      return here().progress.note(fmt::format("{} is not pushed: {}", display_name(image), why));
    here().names.push(environment_.plan(), index_, image.image, true, image.size);
  } catch (...) {
    if (environment_.leave_host(caught_text())) return;
    here().progress.fail(&BuildResult::engine_failed);
    change({.state = StageState::Failed, .detail = caught_text()});
  }
}

void StageRun::build() {
  Attempt attempt{.began = here().world.clock.now()};
  try {
    MachineLimits::Room room(here().limits, predicted_bytes());
    if (!room.lack().empty()) {
      if (parent() != nullptr) parent()->save_open();
      if (environment_.leave_host(room.lack(), true)) return;
      here().progress.fail(&BuildResult::stage_failed);
      return change({.state = StageState::Failed, .detail = room.lack()});
    }
    attempt.log = here().world.state.fresh_log(environment_.name(), name()).string();
    tell_expected(true);
    change({.state = StageState::Running, .detail = start_text(), .log = attempt.log});
    attempt.container = open_container();
    run(attempt);
  } catch (...) {
    escaped(attempt);
  }
}

std::string StageRun::start_text() const {
  const std::optional<Candidate>& start = decision().start;
  std::string place = here().hosts == nullptr ? std::string() : "on " + here().hosts->name(here().host);
  if (!start) return place;
  if (!place.empty()) place += ", ";
  if (start->snapshot == nullptr) return place + "from " + environment_.plan().environment.base_image;
  return place + (start->kind == Candidate::Kind::Parent ? "from " : "continuing from ") +
         display_name(*start->snapshot);
}

// Where it runs: in the container that its parent left open, in the one made while the start was resolved, or
// in a new one.
std::shared_ptr<BuildContainer> StageRun::open_container() {
  const std::optional<Candidate>& start = decision().start;
  if (start) {
    if (start_) return std::move(start_);
    if (start->snapshot == nullptr) environment_.bring_base_image();
    auto container = std::make_shared<BuildContainer>(environment_.setting(), *start, index_);
    if (!environment_.plan().environment.incremental) return container;
    // The image holds a finished tree from elsewhere.
    const std::string& base = environment_.build().base_image;
    if (std::string why = environment_.bring_times(base, *container); !why.empty())
      throw bad_input("", fmt::format("the base image {} cannot be used: {}", printable(base), why));
    return container;
  }
  StageRun& before = *parent();
  if (before.open_) return std::move(before.open_);
  SnapshotPtr image = before.made();
  if (image == nullptr) image = before.look_up(before.status().image);
  if (image == nullptr)
    throw EngineError(fmt::format("the image {} is gone since it was built", before.status().image));
  auto container = std::make_shared<BuildContainer>(
      environment_.setting(), Candidate{.kind = Candidate::Kind::Parent, .snapshot = image}, index_);
  if (before.records_) container->know_records(*before.records_);
  if (here().was_set_back())
    if (std::string why = environment_.bring_times(display_name(*image), *container); !why.empty())
      throw EngineError(
          fmt::format("the clock was set back since {} was made: {}", display_name(*image), why));
  return container;
}

void StageRun::run(Attempt& attempt) {
  attempt.before = attempt.container->installed();
  StopEscalation escalation(here().world.clock, here().options.stop, here().options.kill, times());
  run_inside(attempt, escalation);
  attempt.seconds = here().world.clock.now() - attempt.began;
  attempt.reason = escalation.reason();
  // make fails if the guard started no more packages.
  if (!attempt.outcome.ok() && attempt.reason == StopReason::None && !attempt.container->refused().empty())
    attempt.reason = StopReason::Deadline;
  note_missing_packages(attempt);
  note_make_of_its_own(attempt);
  if (attempt.outcome.ok()) check_results(attempt);
  if (attempt.outcome.ok())
    built(attempt);
  else if (attempt.outcome.stopped && !attempt.container->has_begun())
    not_begun(attempt);
  else
    not_built(attempt);
}

void StageRun::run_inside(Attempt& attempt, StopEscalation& escalation) {
  BuildContainer& container = *attempt.container;
  const std::string& log = attempt.log;
  GuardLimits guard{.times = escalation.guard_times()};
  if (guard.times) guard.package_seconds = known_package_seconds();
  std::unique_ptr<StallWatch> watch;
  if (here().options.stall)
    watch = std::make_unique<StallWatch>(
        here().world.engine, here().world.clock, container.container(), *here().options.stall,
        [&](const std::string& findings) {
          std::ofstream(log, std::ios::app) << "\nstagemake: no output and no processor time for "
                                            << duration_text(*here().options.stall) << "; what runs:\n"
                                            << findings;
          escalation.stop(StopReason::Stall);
          here().progress.note(fmt::format("{} {} has been silent for {}: stopping it", environment_.name(),
                                           name(), duration_text(*here().options.stall)));
        });
  CheckpointSettings checkpoints{
      .every = here().options.checkpoint.value_or(0),
      .may = [&] { return checkpoints_->may_make(times()); },
      .paused =
          [&](bool paused) {
            if (watch) watch->hold(paused);
          },
      .made = [&](const Checkpoint& one) { checkpoints_->take(one, container.size_before()); },
      .failed =
          [&](const std::string& problem) {
            here().progress.note(
                fmt::format("{} {}: no checkpoint could be made: {}", environment_.name(), name(), problem));
          }};
  bool makes = !environment_.plan().table.stages[index_].make_targets.empty();
  MachineLimits::Running running(here().limits, address(), step_, container);
  Reporter& reporter = here().progress.reporter();
  attempt.outcome =
      container.run(index_, {.log = log,
                             .also =
                                 [&](std::string_view piece) {
                                   if (watch) watch->heard();
                                   if (!piece.empty()) reporter.printed(address(), piece);
                                 },
                             .package =
                                 [&](const PackageStatus& package) {
                                   if (watch) watch->heard();
                                   reporter.package(address(), package);
                                 },
                             .stop = escalation.request(),
                             .guard = guard,
                             .checkpoint = here().options.checkpoint && makes ? &checkpoints : nullptr});
  attempt.memory = running.most_memory();
}

// Of the packages that it makes, those that were measured; guesses must not keep a package from being
// started.
std::map<std::string, double> StageRun::known_package_seconds() const {
  std::map<std::string, double> seconds;
  for (PackageId id : plan().packages) {
    const std::string& package = here().world.packages[id].name;
    PackageTime time = here().world.predictions.package(environment_.name(), package);
    if (time.from == PackageTime::From::Environment || time.from == PackageTime::From::OtherEnvironments)
      seconds[package] = time.seconds;
  }
  return seconds;
}

// Exit status 0 is not enough: the results of the stage must exist.
void StageRun::check_results(Attempt& attempt) {
  constexpr std::size_t kMostTold = 10;
  std::vector<std::string> missing = attempt.container->missing(index_);
  if (missing.empty()) return;
  attempt.missing = some_of(missing, {.how = "the log"}, kMostTold);
  attempt.outcome.exit_code = 1;
  std::ofstream(attempt.log, std::ios::app)
      << "\nstagemake: error: the recipe ended with exit status 0, but what must exist after it is missing: "
      << join(missing, ", ") << "\n";
}

// --- Its ends

void StageRun::built(Attempt& attempt) {
  StageStatus status{
      .state = StageState::Built, .seconds = attempt.seconds, .log = attempt.log, .memory = attempt.memory};
  double commit_seconds = 0;
  if (is_committed()) {
    double began = here().world.clock.now();
    status.detail = status.image = commit(attempt, true);
    drop_checkpoints(true);
    name_held(status.image);
    commit_seconds = here().world.clock.now() - began;
    status.seconds += commit_seconds;
  }
  status.findings = findings_in(attempt.log, attempt.outcome.ignored ? RecipeEnd::Ignored : RecipeEnd::Well,
                                [this](const std::string& note) { here().progress.note(note); });
  SnapshotPtr image = look_up(status.image);
  if (attempt.container->records()) records_ = attempt.container->records();
  write_journal(attempt, image, commit_seconds);
  if (environment_.plan().table.stages[index_].configures)
    environment_.expect_after_configure(index_, attempt.container->configured());
  if (image != nullptr) here().names.push(environment_.plan(), index_, status.image, true, image->size);
  if (!is_left_open()) attempt.container.reset();
  open_ = std::move(attempt.container);
  change(std::move(status));
}

// The run ended before it had a job slot, so there is nothing of it to keep. The work of earlier stages in
// the same container gets an image.
void StageRun::not_begun(Attempt& attempt) {
  StageRun* before = parent();
  if (attempt.container->has_unsaved_work() && before != nullptr) {
    before->open_ = std::move(attempt.container);
    before->save_open();
  }
  if (attempt.reason == StopReason::Deadline)
    here().progress.run_out_of_time();
  else
    here().progress.fail(&BuildResult::stage_failed);
  change({.state = StageState::Interrupted,
          .seconds = attempt.seconds,
          .detail = "it was still waiting to start"});
}

void StageRun::not_built(Attempt& attempt) {
  double began = here().world.clock.now();
  StageStatus status{.log = attempt.log, .memory = attempt.memory};
  // If it was stopped before anything ran, there is nothing to keep.
  if (attempt.container->has_unsaved_work()) status.image = commit(attempt, false);
  double commit_seconds = here().world.clock.now() - began;
  status.seconds = attempt.seconds + commit_seconds;
  bool ended = attempt.reason == StopReason::Signal || attempt.reason == StopReason::Deadline;
  status.state = ended || (attempt.outcome.stopped && attempt.reason == StopReason::None)
                     ? StageState::Interrupted
                     : StageState::Failed;
  std::string name = here().names.partial(environment_.plan(), index_);
  bool is_named = status.image == name || status.image == name_beside(name);
  status.detail = attempt.reason == StopReason::Deadline ? "the deadline passed"
                  : attempt.reason == StopReason::Stall  ? "it printed nothing for too long"
                  : attempt.outcome.stopped              ? ""
                  : attempt.outcome.out_of_memory        ? "it ran out of memory"
                  : !attempt.missing.empty()             ? "exit status 0, but missing: " + attempt.missing
                                             : fmt::format("exit status {}", attempt.outcome.exit_code);
  if (!status.detail.empty()) status.detail += "; ";
  status.detail += status.image.empty() ? "nothing ran in it" : "the work so far is kept as " + status.image;
  if (!status.image.empty() && !is_named) status.detail += ": an image with more packages keeps the name";
  if (attempt.reason == StopReason::Deadline)
    here().progress.run_out_of_time();
  else
    here().progress.fail(&BuildResult::stage_failed);
  if (status.state == StageState::Failed)
    status.findings = findings_in(attempt.log, RecipeEnd::Badly,
                                  [this](const std::string& note) { here().progress.note(note); });
  SnapshotPtr image = look_up(status.image);
  write_journal(attempt, image, commit_seconds);
  // If a richer image keeps the name, that image also stays in the registry.
  if (image != nullptr && is_named)
    here().names.push(environment_.plan(), index_, status.image, false, image->size);
  drop_checkpoints(false);
  change(std::move(status));
}

// An exception of any type was thrown anywhere in a stage: in a callback, by the engine, the file system, an
// allocation. Its work is committed as unfinished; if that fails too, the container stays. Called while the
// exception is handled.
void StageRun::escaped(Attempt& attempt) noexcept {
  try {
    if (leave_host(attempt)) return;
    StageStatus status{.state = StageState::Failed, .log = attempt.log, .image = attempt.image};
    status.detail = caught_text();
    // Nothing of it has run yet, but the work of the previous stage in their common container must be saved.
    if (parent() != nullptr && !attempt.container) parent()->save_open();
    ExitStatus why = caught_status();
    if (why == ExitStatus::Interrupted) status.state = StageState::Interrupted;
    here().progress.fail(why == ExitStatus::EngineUnusable ? &BuildResult::engine_failed
                         : why == ExitStatus::Interrupted  ? &BuildResult::stage_failed
                                                           : &BuildResult::input_failed);
    if (!attempt.image.empty())
      status.detail += fmt::format("; the image {} was made nevertheless", attempt.image);
    else if (attempt.container && attempt.container->has_unsaved_work())
      status.detail += save_escaped(attempt, status.image);
    status.seconds = here().world.clock.now() - attempt.began;
    attempt.container.reset();
    change(std::move(status));
  } catch (...) {
    // Not even a message is possible: what counts is that the run knows, and that the container stays.
    here().progress.lose(address());
  }
}

// If its host is why it failed, the environment goes on elsewhere. On a host that still works, its work gets
// an image, from which it can go on; on another one, its container stays until the host is back. Called while
// the exception is handled.
bool StageRun::leave_host(Attempt& attempt) noexcept {
  try {
    if (here().hosts == nullptr || caught_status() != ExitStatus::EngineUnusable) return false;
    std::string why = caught_text();
    if (!here().hosts->check(here().host)) {
      if (parent() != nullptr && !attempt.container) parent()->save_open();
      std::string image;
      if (attempt.image.empty() && attempt.container && attempt.container->has_unsaved_work())
        why += save_escaped(attempt, image);
    }
    std::string host = here().hosts->name(here().host);
    if (!environment_.leave_host(why)) return false;
    attempt.container.reset();
    change({.state = StageState::Waiting, .detail = fmt::format("host {} failed: it begins again", host)});
    return true;
  } catch (...) {
    return false;
  }
}

// Returns where the work is now.
std::string StageRun::save_escaped(Attempt& attempt, std::string& image) {
  if (attempt.could_not_commit) return where_it_stays(attempt);
  try {
    attempt.container->recover();
    image = commit(attempt, false);
    SnapshotPtr kept = look_up(image);
    if (kept != nullptr) here().names.push(environment_.plan(), index_, image, false, kept->size);
    drop_checkpoints(false);
    return fmt::format("; the work so far is kept as {}", image);
  } catch (...) {
    if (!image.empty()) return fmt::format("; the work so far is kept as {}", image);
    return where_it_stays(attempt);
  }
}

std::string StageRun::where_it_stays(const Attempt& attempt) const {
  return fmt::format("; the work so far stays in container {}, and the next run takes it over; {}",
                     attempt.container->container(), ways_out(environment_.name()));
}

void StageRun::save_open() {
  if (!open_) return;
  StageStatus saved = status();
  Attempt attempt{.began = here().world.clock.now(), .log = saved.log, .container = std::move(open_)};
  try {
    saved.detail = saved.image = commit(attempt, true);
    name_held(saved.image);
    here().names.push(environment_.plan(), index_, saved.image, true, 0);
    drop_checkpoints(true);
    change(std::move(saved));
  } catch (...) {
    escaped(attempt);
  }
}

// --- What is reported and remembered of it

// The system packages that an environment lacks appear in one line of a long log, so they are reported at the
// end of the run.
void StageRun::note_missing_packages(const Attempt& attempt) {
  const StagePlan& plan = environment_.plan();
  if (!plan.environment.setup.ignore_missing || !prepares_system(plan.table.stages[index_])) return;
  std::string line = last_line_with(attempt.log, kMissingLine);
  if (!line.empty()) here().progress.note_at_end(fmt::format("{}: {}", environment_.name(), printable(line)));
}

// Reports a make that is too old for the pool, once per environment.
void StageRun::note_make_of_its_own(const Attempt& attempt) {
  if (here().options.slots == nullptr || environment_.plan().table.stages[index_].make_targets.empty())
    return;
  std::string line = last_line_with(attempt.log, kSharesNoneLine);
  if (!line.empty())
    here().progress.note_at_end(fmt::format(
        "{}: {}", environment_.name(), printable(std::string_view(line).substr(std::strlen("stagemake: ")))));
}

// What a run learns for later runs. If this fails, the build is unaffected.
void StageRun::write_journal(const Attempt& attempt, const SnapshotPtr& image,
                             double commit_seconds) noexcept {
  try {
    add_to_journal(attempt, image, commit_seconds);
  } catch (...) {
  }
}

void StageRun::add_to_journal(const Attempt& attempt, const SnapshotPtr& image, double commit_seconds) {
  const BuildContainer& container = *attempt.container;
  auto now = static_cast<std::int64_t>(here().world.clock.now());
  here().world.journal.add(JournalStage{.when = now,
                                        .environment = environment_.name(),
                                        .stage = name(),
                                        .key = plan().key,
                                        .outcome = outcome_of(attempt.outcome, attempt.reason),
                                        .seconds = attempt.seconds,
                                        .commit_seconds = commit_seconds,
                                        .bytes = grown_by(image, container.size_before()),
                                        .memory = attempt.memory,
                                        .engine = here().world.engine.name(),
                                        .network = network()});
  for (const auto& [name, package] : container.installed()) {
    auto before = attempt.before.find(name);
    bool is_new = before == attempt.before.end() || before->second != package;
    if (is_new && package.seconds > 0)
      here().world.journal.add(PackageBuilt{.when = now,
                                            .environment = environment_.name(),
                                            .package = name,
                                            .version = package.version,
                                            .seconds = package.seconds});
  }
}

// --- Its image

std::string StageRun::commit(Attempt& attempt, bool complete) {
  attempt.could_not_commit = true;
  attempt.image = attempt.container->commit(index_, complete);
  attempt.could_not_commit = false;
  for (const std::string& name : attempt.container->names_left()) here().names.note_left(name);
  return attempt.image;
}

// The image as its labels describe it, looked up once; null if none was made.
SnapshotPtr StageRun::look_up(const std::string& image) {
  std::optional<ImageInfo> found = image.empty() ? std::nullopt : here().world.engine.find_image(image);
  std::optional<Snapshot> snapshot = found ? snapshot_of(*found) : std::nullopt;
  std::lock_guard lock(made_mutex_);
  made_ = snapshot ? std::make_shared<Snapshot>(std::move(*snapshot)) : nullptr;
  return made_;
}

// For stages that ran before in the same container without an image of their own: their names must not keep
// pointing to images with older sources. The image of this stage contains these stages.
void StageRun::name_held(const std::string& image) {
  for (StageRun* at = parent();
       at != nullptr && at->decision().action == Action::Build && !at->is_committed(); at = at->parent())
    for (const std::string& name : here().names.of(environment_.plan(), at->index_))
      here().names.give(image, name);
}

// Also those of earlier stages in its container, which its image contains.
void StageRun::drop_checkpoints(bool complete) noexcept {
  checkpoints_->drop(complete);
  for (StageRun* at = parent(); at != nullptr; at = at->parent()) at->checkpoints_->drop(true);
}

Network StageRun::network() const {
  return environment_.setting().networks[index_];
}

// Whether a stage follows in the same container, if this one's stays open.
bool StageRun::is_child_in_container(const StageRun& child) const {
  return child.plan().parent == index_ && child.decision().action == Action::Build && !child.decision().start;
}

// The next stage uses the same container if no image is needed in between, or if the stages continue in an
// older image: then its layer grows, instead of one more layer per stage.
bool StageRun::is_left_open() const {
  unsigned children = 0;
  for (std::size_t s = 0; s < environment_.size(); ++s)
    children += is_child_in_container(environment_.stage(s)) ? 1 : 0;
  return children == 1 && in_older() && !network_changes_after();
}

// The network of a container cannot change.
bool StageRun::network_changes_after() const {
  for (std::size_t s = 0; s < environment_.size(); ++s)
    if (const StageRun& child = environment_.stage(s);
        is_child_in_container(child) && child.network() != network())
      return true;
  return false;
}

bool StageRun::is_committed() const {
  return decision().commit || network_changes_after();
}

bool StageRun::in_older() const {
  for (const StageRun* at = this; at != nullptr;
       at = at->plan().parent ? &environment_.stage(*at->plan().parent) : nullptr)
    if (const std::optional<Candidate>& start = at->decision().start)
      return start->kind == Candidate::Kind::Older;
  return false;
}

}  // namespace stagemake
