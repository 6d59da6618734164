// Running one stage: its workplace, its limits, its image, and what is told and remembered of it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>

#include "base/caught_error.h"
#include "base/file_tail.h"
#include "base/text.h"
#include "run/adoption.h"
#include "run/build_run.h"
#include "run/foreign_names.h"
#include "run/image_survey.h"
#include "run/pooled_make.h"
#include "run/stall_watch.h"

namespace stagemake {
namespace {

constexpr std::size_t kLogLimit = 256u << 20;  // bytes; of a longer one the end is looked through
constexpr double kUnknownStageBytes = 500e6;   // for the time that a push takes

// The last line of a log that begins with `beginning`; empty where none of its last lines does.
std::string last_line_with(const std::string& log, std::string_view beginning) {
  std::string text;
  try {
    if (std::optional<FileTail> tail = read_tail(log, kLogLimit)) text = std::move(tail->text);
  } catch (...) {
    return {};  // the log is for people; without it the build is what it is
  }
  std::size_t at = text.rfind("\n" + std::string(beginning));
  if (at == std::string::npos && text.starts_with(beginning)) return text.substr(0, text.find('\n'));
  return at == std::string::npos ? std::string() : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

// What a log says went wrong. It is for people: without it the build is what it is.
// `told` hears what of the log was not looked at.
std::vector<LogFinding> findings_in(const std::string& log, RecipeEnd end,
                                    const std::function<void(const std::string&)>& told) {
  std::optional<FileTail> tail;
  try {
    tail = read_tail(log, kLogLimit);
    if (!tail) return {};
    if (tail->skipped_bytes > 0)
      told(fmt::format("the log {} is longer than {}: failures are looked for in its end, from line {} on",
                       printable(log), size_text(kLogLimit), tail->skipped_lines + 1));
    std::vector<LogFinding> findings = scan_log(tail->text, end);
    for (LogFinding& finding : findings) {
      if (!finding.file.empty()) continue;
      finding.file = log;
      if (finding.line > 0) finding.line += tail->skipped_lines;
    }
    return findings;
  } catch (...) {
    told(fmt::format("failures cannot be looked for in the log: {}", caught_text()));
    return {};
  }
}

// Bytes that a stage added to the image in which it began; 0 where one of the sizes is not known.
std::uint64_t grown_by(const Snapshot* image, std::uint64_t before) {
  return image != nullptr && before > 0 && image->size > before ? image->size - before : 0;
}

// What a stage came to, for the journal.
StageOutcome outcome_of(const RunOutcome& outcome, StopReason reason) {
  if (outcome.ok()) return StageOutcome::Built;
  if (reason == StopReason::Deadline) return StageOutcome::Partial;
  return reason == StopReason::Signal ? StageOutcome::Interrupted : StageOutcome::Failed;
}

}  // namespace

class BuildRun::Room {
 public:
  Room(BuildRun& run, std::size_t e, std::size_t s) : run_(run), lack_(run.take_room(e, s, bytes_)) {}
  ~Room() {
    std::lock_guard lock(run_.mutex_);
    run_.reserved_ -= bytes_;
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  const std::string& lack() const { return lack_; }

 private:
  BuildRun& run_;
  std::uint64_t bytes_ = 0;
  std::string lack_;
};

void BuildRun::build_stage(std::size_t e, std::size_t s) {
  Ran ran{.e = e, .s = s, .began = world_.clock.now()};
  try {
    Room room(*this, e, s);
    if (!room.lack().empty()) {
      failed(&BuildResult::stage_failed);
      if (std::optional<std::size_t> parent = builds_[e].plan.stages[s].parent) save_open(e, *parent);
      change(e, s, {.state = StageState::Failed, .detail = room.lack()});
      return;
    }
    ran.log =
        world_.state.fresh_log(builds_[e].plan.environment.name, builds_[e].plan.stages[s].name).string();
    tell_expected(e, s, true);
    change(e, s, {.state = StageState::Running, .detail = start_text(e, s), .log = ran.log});
    ran.place = workplace(e, s);
    run_stage(ran);
  } catch (...) {
    escaped(ran);
  }
}

std::string BuildRun::start_text(std::size_t e, std::size_t s) const {
  const std::optional<Candidate>& start = builds_[e].decisions[s].start;
  if (!start) return {};
  if (start->snapshot == nullptr) return "from " + builds_[e].plan.environment.base_image;
  return (start->kind == Candidate::Kind::Parent ? "from " : "going on in ") + display_name(*start->snapshot);
}

// Where a stage runs: in the workplace that its parent left open, in the one that was made when the
// environment settled, or in a new one.
std::shared_ptr<Workplace> BuildRun::workplace(std::size_t e, std::size_t s) {
  const EnvironmentBuild& build = builds_[e];
  std::optional<std::size_t> parent = build.plan.stages[s].parent;
  if (build.decisions[s].start) {
    if (starts_[e][s]) return std::move(starts_[e][s]);
    if (build.decisions[s].start->snapshot == nullptr) bring_base_image(e);
    auto place = std::make_shared<Workplace>(settings_[e], *build.decisions[s].start, s);
    // A finished tree of somebody's lies in it.
    if (build.plan.environment.incremental)
      if (std::string why = bring_times(e, build.base_image, *place); !why.empty())
        throw bad_input(
            "", fmt::format("the base image {} cannot be used: {}", printable(build.base_image), why));
    return place;
  }
  if (std::shared_ptr<Workplace> open = std::move(workplaces_[e][*parent])) return open;
  const Snapshot* image =
      made_[e][*parent] != nullptr ? made_[e][*parent] : made(e, *parent, status(e, *parent).image);
  if (image == nullptr)
    throw EngineError(fmt::format("the image {} is gone since it was built", status(e, *parent).image));
  auto place = std::make_shared<Workplace>(settings_[e],
                                           Candidate{.kind = Candidate::Kind::Parent, .snapshot = image}, s);
  if (made_[e][*parent] == image && records_[e][*parent]) place->know_records(*records_[e][*parent]);
  if (was_set_back())
    if (std::string why = bring_times(e, display_name(*image), *place); !why.empty())
      throw EngineError(
          fmt::format("the clock was set back since {} was made: {}", display_name(*image), why));
  return place;
}

// Files of the future in an image become files of the present. Why that cannot be; empty where it is so.
std::string BuildRun::bring_times(std::size_t e, const std::string& image, Workplace& place) {
  std::string why = place.bring_times({.stop = options_.stop, .kill = options_.kill});
  if (!place.times_note().empty())
    reporter_.note(
        fmt::format("{}: {}: {}", builds_[e].plan.environment.name, printable(image), place.times_note()));
  return why;
}

// Whether the engine's clock says that less time has passed since the run began than has. Then files of this
// run may lie in the future.
bool BuildRun::was_set_back() const {
  constexpr double kTolerance = 1;  // seconds
  try {
    return world_.engine.now() - began_there_ < world_.clock.now() - began_ - kTolerance;
  } catch (const Error&) {
    return true;  // nobody knows: a look does no harm
  }
}

const Snapshot* BuildRun::made(std::size_t e, std::size_t s, const std::string& image) {
  std::optional<ImageInfo> found = image.empty() ? std::nullopt : world_.engine.find_image(image);
  std::optional<Snapshot> snapshot = found ? snapshot_of(*found) : std::nullopt;
  return made_[e][s] = snapshot ? keep(std::move(*snapshot)) : nullptr;
}

// Before the deadline lie the commit and, where it is asked for, the push.
std::optional<StageTimes> BuildRun::times(std::size_t e, std::size_t s) const {
  if (!options_.time) return std::nullopt;
  const std::string& environment = builds_[e].plan.environment.name;
  const std::string& stage = builds_[e].plan.stages[s].name;
  double saving = world_.predictions.commit_seconds(environment, stage);
  if (options_.pushes != nullptr) {
    auto bytes = static_cast<double>(world_.predictions.stage_bytes(environment, stage)
                                         .value_or(static_cast<std::uint64_t>(kUnknownStageBytes)));
    // They go one after the other.
    auto at_once = static_cast<double>(std::min<std::size_t>(options_.at_once, builds_.size()));
    saving += at_once * world_.predictions.push_seconds(static_cast<std::uint64_t>(bytes),
                                                        registry_host(world_.push_repository));
  }
  return stage_times(*options_.time, saving);
}

// A stage that runs, where the machine's watch sees it.
class BuildRun::Running {
 public:
  Running(BuildRun& run, const Ran& ran, const Workplace& place) : run_(run), at_(ran.e, ran.s) {
    std::lock_guard lock(run_.mutex_);
    run_.running_[at_] = {.place = &place};
  }
  ~Running() {
    std::lock_guard lock(run_.mutex_);
    run_.running_.erase(at_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  std::uint64_t most_memory() const {
    std::lock_guard lock(run_.mutex_);
    return run_.running_.at(at_).most_memory;
  }

 private:
  BuildRun& run_;
  const Position at_;
};

void BuildRun::run_in(Workplace& place, Ran& ran, Ladder& ladder) {
  const std::size_t e = ran.e, s = ran.s;
  const std::string& log = ran.log;
  const EnvironmentStatus& shown = result_.environments[e];  // its names never change
  GuardLimits guard{.times = ladder.guard_times()};
  const std::string& environment = builds_[e].plan.environment.name;
  if (guard.times)
    for (PackageId id : builds_[e].plan.stages[s].packages) {
      PackageTime time = world_.predictions.package(environment, world_.packages[id].name);
      if (time.from == PackageTime::From::Environment || time.from == PackageTime::From::OtherEnvironments)
        guard.package_seconds[world_.packages[id].name] = time.seconds;
    }
  std::unique_ptr<StallWatch> watch;
  if (options_.stall)
    watch = std::make_unique<StallWatch>(
        world_.engine, world_.clock, place.container(), *options_.stall, [&](const std::string& findings) {
          std::ofstream(log, std::ios::app) << "\nstagemake: no output and no processor time for "
                                            << duration_text(*options_.stall) << "; what runs:\n"
                                            << findings;
          ladder.stop(StopReason::Stall);
          reporter_.note(fmt::format("{} {} has been silent for {}: stopping it", environment,
                                     shown.stage_names[s], duration_text(*options_.stall)));
        });
  CheckpointSettings checkpoints{
      .every = options_.checkpoint.value_or(0),
      .may = [&] { return may_checkpoint(e, s); },
      .paused =
          [&](bool paused) {
            if (watch) watch->hold(paused);
          },
      .made = [&](const Checkpoint& one) { checkpointed(e, s, one, place.size_before()); },
      .failed =
          [&](const std::string& problem) {
            reporter_.note(fmt::format("{} {}: no checkpoint could be made: {}", environment,
                                       shown.stage_names[s], problem));
          }};
  bool makes = !builds_[e].plan.table.stages[s].make_targets.empty();
  Running running(*this, ran, place);
  ran.outcome = place.run(s, {.log = log,
                              .also =
                                  [&](std::string_view piece) {
                                    if (watch) watch->heard();
                                    if (!piece.empty())
                                      reporter_.printed(shown.name, shown.stage_names[s], piece);
                                  },
                              .package =
                                  [&](const PackageStatus& package) {
                                    if (watch) watch->heard();
                                    reporter_.package(e, s, package);
                                  },
                              .stop = ladder.request(),
                              .guard = guard,
                              .checkpoint = options_.checkpoint && makes ? &checkpoints : nullptr});
  ran.memory = running.most_memory();
}

void BuildRun::run_stage(Ran& ran) {
  ran.before = ran.place->installed();
  Ladder ladder(world_.clock, options_.stop, options_.kill, times(ran.e, ran.s));
  run_in(*ran.place, ran, ladder);
  ran.seconds = world_.clock.now() - ran.began;
  ran.reason = ladder.reason();
  // Make ends badly where the guard let no more packages begin.
  if (!ran.outcome.ok() && ran.reason == StopReason::None && !ran.place->refused().empty())
    ran.reason = StopReason::Deadline;
  note_missing_packages(ran);
  note_make_of_its_own(ran);
  if (ran.outcome.ok()) check_left(ran);
  if (ran.outcome.ok())
    built(ran);
  else if (ran.outcome.stopped && !ran.place->has_begun())
    not_begun(ran);
  else
    not_built(ran);
}

// An exit status of 0 is not enough: what the stage is there for must be there.
void BuildRun::check_left(Ran& ran) {
  constexpr std::size_t kMostTold = 10;
  std::vector<std::string> missing = ran.place->missing(ran.s);
  if (missing.empty()) return;
  std::size_t more = missing.size() - std::min(missing.size(), kMostTold);
  missing.resize(missing.size() - more);
  ran.missing = join(missing, ", ") + (more > 0 ? fmt::format(" and {} more", more) : "");
  ran.outcome.exit_code = 1;
  std::ofstream(ran.log, std::ios::app)
      << "\nstagemake: error: the recipe ended with exit status 0, but what must exist after it is missing: "
      << ran.missing << "\n";
}

void BuildRun::built(Ran& ran) {
  StageStatus status{
      .state = StageState::Built, .seconds = ran.seconds, .log = ran.log, .memory = ran.memory};
  double commit_seconds = 0;
  if (is_committed(ran.e, ran.s)) {
    double began = world_.clock.now();
    status.detail = status.image = commit(ran, true);
    drop_checkpoints(ran.e, ran.s, true);
    name_held(ran.e, ran.s, status.image);
    commit_seconds = world_.clock.now() - began;
    status.seconds += commit_seconds;
  }
  status.findings = findings_in(ran.log, ran.outcome.ignored ? RecipeEnd::Ignored : RecipeEnd::Well,
                                [this](const std::string& note) { reporter_.note(note); });
  const Snapshot* image = made(ran.e, ran.s, status.image);
  if (ran.place->records() != nullptr) records_[ran.e][ran.s] = *ran.place->records();
  write_journal(ran, image, commit_seconds);
  if (builds_[ran.e].plan.table.stages[ran.s].configures)
    expect_after_configure(ran.e, ran.s, ran.place->configured());
  if (image != nullptr) push(ran.e, ran.s, status.image, true, image->size);
  if (!is_left_open(ran.e, ran.s)) ran.place.reset();
  workplaces_[ran.e][ran.s] = std::move(ran.place);
  change(ran.e, ran.s, std::move(status));
}

// The run was to end before the stage had a job slot: there is nothing of it to keep. What stages before it
// did in the same container gets its image.
void BuildRun::not_begun(Ran& ran) {
  std::optional<std::size_t> parent = builds_[ran.e].plan.stages[ran.s].parent;
  if (ran.place->has_unsaved_work() && parent) {
    workplaces_[ran.e][*parent] = std::move(ran.place);
    save_open(ran.e, *parent);
  }
  if (ran.reason == StopReason::Deadline) {
    std::lock_guard lock(mutex_);
    result_.out_of_time = true;
  } else {
    failed(&BuildResult::stage_failed);
  }
  change(
      ran.e, ran.s,
      {.state = StageState::Interrupted, .seconds = ran.seconds, .detail = "it was still waiting to begin"});
}

void BuildRun::not_built(Ran& ran) {
  double began = world_.clock.now();
  StageStatus status{.log = ran.log, .memory = ran.memory};
  // Where it was stopped before anything ran there is nothing to keep.
  if (ran.place->has_unsaved_work()) status.image = commit(ran, false);
  double commit_seconds = world_.clock.now() - began;
  status.seconds = ran.seconds + commit_seconds;
  bool ended = ran.reason == StopReason::Signal || ran.reason == StopReason::Deadline;
  status.state = ended || (ran.outcome.stopped && ran.reason == StopReason::None) ? StageState::Interrupted
                                                                                  : StageState::Failed;
  std::string name = names_of_stage(ran.e, ran.s, world_.repository).front() + "-failed";
  bool is_named = status.image == name || status.image == name_beside(name);
  status.detail = ran.reason == StopReason::Deadline ? "the deadline came"
                  : ran.reason == StopReason::Stall  ? "it was silent for too long"
                  : ran.outcome.stopped              ? ""
                  : ran.outcome.out_of_memory        ? "it ran out of memory"
                  : !ran.missing.empty()             ? "exit status 0, but missing is " + ran.missing
                                                     : fmt::format("exit status {}", ran.outcome.exit_code);
  if (!status.detail.empty()) status.detail += "; ";
  status.detail += status.image.empty() ? "nothing ran in it" : "what was done is kept as " + status.image;
  if (!status.image.empty() && !is_named)
    status.detail += ": its name stays with an image in which more is done";
  if (ran.reason == StopReason::Deadline) {
    std::lock_guard lock(mutex_);
    result_.out_of_time = true;
  } else {
    failed(&BuildResult::stage_failed);
  }
  if (status.state == StageState::Failed)
    status.findings =
        findings_in(ran.log, RecipeEnd::Badly, [this](const std::string& note) { reporter_.note(note); });
  const Snapshot* image = made(ran.e, ran.s, status.image);
  write_journal(ran, image, commit_seconds);
  // Where a richer image has its name, that one stays in the registry, too.
  if (image != nullptr && is_named) push(ran.e, ran.s, status.image, false, image->size);
  drop_checkpoints(ran.e, ran.s, false);
  change(ran.e, ran.s, std::move(status));
}

// Something was thrown in a stage, of whatever type and wherever: in a callback, by the engine, the file
// system, an allocation. Its work is committed as unfinished; where that fails too, the container stays.
// Called while the exception is handled.
void BuildRun::escaped(Ran& ran) noexcept {
  try {
    StageStatus status{.state = StageState::Failed, .log = ran.log, .image = ran.image};
    status.detail = caught_text();
    // Nothing of it ran yet: what the stage before did in their common container must not be forgotten.
    if (std::optional<std::size_t> parent = builds_[ran.e].plan.stages[ran.s].parent; parent && !ran.place)
      save_open(ran.e, *parent);
    ExitStatus why = caught_status();
    if (why == ExitStatus::Interrupted) status.state = StageState::Interrupted;
    failed(why == ExitStatus::EngineUnusable ? &BuildResult::engine_failed
           : why == ExitStatus::Interrupted  ? &BuildResult::stage_failed
                                             : &BuildResult::input_failed);
    if (!ran.image.empty())
      status.detail += fmt::format("; the image {} was made all the same", ran.image);
    else if (ran.place && ran.place->has_unsaved_work())
      status.detail += save_escaped(ran, status.image);
    status.seconds = world_.clock.now() - ran.began;
    ran.place.reset();
    change(ran.e, ran.s, std::move(status));
  } catch (...) {
    // Not even words for it: what counts is that the run knows, and that the container stays.
    std::lock_guard lock(mutex_);
    failed_ = result_.engine_failed = true;
    result_.environments[ran.e].stages[ran.s].state = StageState::Failed;
  }
}

// Says where the work is now.
std::string BuildRun::save_escaped(Ran& ran, std::string& image) {
  if (ran.could_not_commit) return where_it_stays(ran);
  try {
    ran.place->recover();
    image = commit(ran, false);
    const Snapshot* kept = made(ran.e, ran.s, image);
    if (kept != nullptr) push(ran.e, ran.s, image, false, kept->size);
    drop_checkpoints(ran.e, ran.s, false);
    return fmt::format("; what was done before is kept as {}", image);
  } catch (...) {
    if (!image.empty()) return fmt::format("; what was done before is kept as {}", image);
    return where_it_stays(ran);
  }
}

std::string BuildRun::where_it_stays(const Ran& ran) const {
  return fmt::format("; what was done stays in container {}, and the next run takes it over; {}",
                     ran.place->container(), ways_out(builds_[ran.e].plan.environment.name));
}

// Which of the system's packages an environment goes without stands in one line of a long log: people hear
// it at the end of the run.
void BuildRun::note_missing_packages(const Ran& ran) {
  const StagePlan& plan = builds_[ran.e].plan;
  if (!plan.environment.setup.ignore_missing || !prepares_system(plan.table.stages[ran.s])) return;
  std::string line = last_line_with(ran.log, kMissingLine);
  if (line.empty()) return;
  std::lock_guard lock(mutex_);
  last_notes_.push_back(fmt::format("{}: {}", plan.environment.name, printable(line)));
}

// A make that is too old for the pool, once per environment.
void BuildRun::note_make_of_its_own(const Ran& ran) {
  const StagePlan& plan = builds_[ran.e].plan;
  if (options_.slots == nullptr || plan.table.stages[ran.s].make_targets.empty()) return;
  std::string line = last_line_with(ran.log, kSharesNoneLine);
  if (line.empty()) return;
  std::string note = fmt::format("{}: {}", plan.environment.name,
                                 printable(std::string_view(line).substr(std::strlen("stagemake: "))));
  std::lock_guard lock(mutex_);
  if (std::find(last_notes_.begin(), last_notes_.end(), note) == last_notes_.end())
    last_notes_.push_back(std::move(note));
}

// What a run learns for the next ones: without it the build is what it is.
void BuildRun::write_journal(const Ran& ran, const Snapshot* image, double commit_seconds) noexcept {
  try {
    add_to_journal(ran, image, commit_seconds);
  } catch (...) {
  }
}

void BuildRun::add_to_journal(const Ran& ran, const Snapshot* image, double commit_seconds) {
  const Workplace& place = *ran.place;
  const StagePlan& plan = builds_[ran.e].plan;
  auto now = static_cast<std::int64_t>(world_.clock.now());
  world_.journal.add(StageRun{.when = now,
                              .environment = plan.environment.name,
                              .stage = plan.stages[ran.s].name,
                              .key = plan.stages[ran.s].key,
                              .outcome = outcome_of(ran.outcome, ran.reason),
                              .seconds = ran.seconds,
                              .commit_seconds = commit_seconds,
                              .bytes = grown_by(image, place.size_before()),
                              .memory = ran.memory,
                              .engine = world_.engine.name(),
                              .network = settings_[ran.e].networks[ran.s]});
  for (const auto& [name, package] : place.installed()) {
    auto before = ran.before.find(name);
    bool is_new = before == ran.before.end() || before->second != package;
    if (is_new && package.seconds > 0)
      world_.journal.add(PackageBuilt{.when = now,
                                      .environment = plan.environment.name,
                                      .package = name,
                                      .version = package.version,
                                      .seconds = package.seconds});
  }
}

std::string BuildRun::commit(Ran& ran, bool complete) {
  ran.could_not_commit = true;
  ran.image = ran.place->commit(ran.s, complete);
  ran.could_not_commit = false;
  for (const std::string& name : ran.place->names_left()) note_name_left(name);
  return ran.image;
}

// A stage's container serves the next stage where no image of its own lies between, or where it goes on in
// an older image: then its layer grows, and no layer is added per stage.
bool BuildRun::is_left_open(std::size_t e, std::size_t s) const {
  const EnvironmentBuild& build = builds_[e];
  unsigned children = 0;
  for (std::size_t i = 0; i < build.plan.stages.size(); ++i)
    if (build.plan.stages[i].parent == s && build.decisions[i].action == StageDecision::Action::Build &&
        !build.decisions[i].start)
      ++children;
  return children == 1 && in_older(e, s) && !network_changes_after(e, s);
}

// A container has one network from its beginning to its end.
bool BuildRun::network_changes_after(std::size_t e, std::size_t s) const {
  const EnvironmentBuild& build = builds_[e];
  for (std::size_t i = 0; i < build.plan.stages.size(); ++i)
    if (build.plan.stages[i].parent == s && build.decisions[i].action == StageDecision::Action::Build &&
        !build.decisions[i].start && settings_[e].networks[i] != settings_[e].networks[s])
      return true;
  return false;
}

bool BuildRun::is_committed(std::size_t e, std::size_t s) const {
  return builds_[e].decisions[s].commit || network_changes_after(e, s);
}

bool BuildRun::in_older(std::size_t e, std::size_t s) const {
  for (std::optional<std::size_t> at = s; at; at = builds_[e].plan.stages[*at].parent)
    if (const std::optional<Candidate>& start = builds_[e].decisions[*at].start)
      return start->kind == Candidate::Kind::Older;
  return false;
}

}  // namespace stagemake
