#include "run/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>

#include "base/text.h"
#include "run/flow_executor.h"
#include "run/image_survey.h"
#include "run/workplace.h"

namespace stagemake {
namespace {

using Clock = std::chrono::steady_clock;

// The last line of a log that begins with `beginning`; empty where none of its last lines does.
std::string last_line_with(const std::string& log, std::string_view beginning) {
  std::optional<std::string> text;
  try {
    text = read_file(log, 256u << 20);
  } catch (const Error&) {
    return {};  // the log is for people; without it the build is what it is
  }
  if (!text) return {};
  std::size_t at = text->rfind("\n" + std::string(beginning));
  return at == std::string::npos ? std::string() : text->substr(at + 1, text->find('\n', at + 1) - at - 1);
}

// One run of several builds: the state of every stage, and the one place where it changes.
class BuildRun {
 public:
  BuildRun(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds, const BuildOptions& options,
           Reporter& reporter)
      : world_(world), builds_(builds), options_(options), reporter_(reporter) {
    for (const EnvironmentBuild& build : builds) {
      result_.environments.push_back(status_of(build));
      workplaces_.emplace_back(build.plan.stages.size());
      settings_.push_back({.engine = world.engine,
                           .state = world.state,
                           .packages = world.packages,
                           .plan = build.plan,
                           .sources = world.sources,
                           .base_digest = build.base_digest,
                           .revision = world.revision,
                           .repository = world.repository,
                           .tags = world.tags});
    }
  }

  BuildResult run() {
    auto began = Clock::now();
    reporter_.begins(result_.environments);
    std::vector<FlowStep> steps;
    for (std::size_t e = 0; e < builds_.size(); ++e) add_steps(e, steps);
    execute_flow(steps, options_.at_once);
    reporter_.ends(result_.environments, std::chrono::duration<double>(Clock::now() - began).count());
    for (const std::string& note : last_notes_) reporter_.note(note);
    return std::move(result_);
  }

 private:
  void add_steps(std::size_t e, std::vector<FlowStep>& steps) {
    const EnvironmentBuild& build = builds_[e];
    std::vector<std::optional<std::size_t>> step_of(build.plan.stages.size());
    for (std::size_t s = 0; s < build.plan.stages.size(); ++s) {
      if (build.decisions[s].action == StageDecision::Action::NotWanted) continue;
      std::optional<std::size_t> parent = build.plan.stages[s].parent;
      step_of[s] = steps.size();
      steps.push_back(
          {.after = parent ? step_of[*parent] : std::nullopt, .work = [this, e, s] { step(e, s); }});
    }
  }

  // The one function that changes a stage's state.
  void change(std::size_t e, std::size_t s, StageStatus status) {
    std::lock_guard lock(mutex_);
    result_.environments[e].stages[s] = std::move(status);
    reporter_.changed(result_.environments, e, s);
  }

  StageStatus status(std::size_t e, std::size_t s) {
    std::lock_guard lock(mutex_);
    return result_.environments[e].stages[s];
  }

  void step(std::size_t e, std::size_t s) {
    const EnvironmentBuild& build = builds_[e];
    const StageDecision& decision = build.decisions[s];
    if (decision.action == StageDecision::Action::Reuse) {
      name_reused(e, s);
      return;
    }
    std::optional<std::size_t> parent = build.plan.stages[s].parent;
    if (parent) {
      StageState before = status(e, *parent).state;
      if (before != StageState::Built && before != StageState::Reused) {
        change(e, s,
               {.state = StageState::Skipped,
                .detail = fmt::format("{} did not end well", build.plan.stages[*parent].name)});
        return;
      }
    }
    if (options_.stop.stop_requested() || (failed_ && !options_.keep_going)) {
      if (parent) save_open(e, *parent);
      change(e, s, {.state = StageState::Skipped, .detail = "the run was ended"});
      return;
    }
    build_stage(e, s);
  }

  // The run ends between two stages that share a container: what the first one did gets an image after all.
  void save_open(std::size_t e, std::size_t s) {
    std::shared_ptr<Workplace> open = std::move(workplaces_[e][s]);
    if (!open) return;
    StageStatus saved = status(e, s);
    try {
      saved.detail = saved.image = commit(*open, s, true);
      name_held(e, s, saved.image);
      change(e, s, std::move(saved));
    } catch (const Error& error) {
      engine_error(e, s, error.what(), saved.log);
    }
  }

  // The names under which people find stage `s`.
  std::vector<std::string> names_of_stage(std::size_t e, std::size_t s) const {
    const StagePlan& plan = builds_[e].plan;
    std::vector<std::string> names;
    for (const std::string& tag : world_.tags)
      names.push_back(image_name(plan.table, world_.repository, plan.environment.name, plan.stages[s].name) +
                      ":" + tag);
    return names;
  }

  // A reused image gets this build's names, where it does not have them yet.
  void name_reused(std::size_t e, std::size_t s) {
    const Snapshot& image = *builds_[e].decisions[s].image;
    if (!image.complete) return;
    try {
      for (const std::string& name : names_of_stage(e, s))
        if (std::find(image.names.begin(), image.names.end(), name) == image.names.end())
          world_.engine.tag(image.image, name);
    } catch (const Error& error) {
      engine_error(e, s, error.what(), "");
    }
  }

  // Stages that ran before in the same container, and of which no image was made: their names must not go on
  // meaning what they meant with older sources. The image of `s` holds them.
  void name_held(std::size_t e, std::size_t s, const std::string& image) {
    const EnvironmentBuild& build = builds_[e];
    for (std::optional<std::size_t> at = build.plan.stages[s].parent;
         at && build.decisions[*at].action == StageDecision::Action::Build && !build.decisions[*at].commit;
         at = build.plan.stages[*at].parent)
      for (const std::string& name : names_of_stage(e, *at)) world_.engine.tag(image, name);
  }

  // Notes that the run fails, and what kind of failure it was.
  void failed(bool BuildResult::*kind) {
    failed_ = true;
    std::lock_guard lock(mutex_);
    result_.*kind = true;
  }

  void engine_error(std::size_t e, std::size_t s, const std::string& what, const std::string& log) {
    failed(&BuildResult::engine_failed);
    change(e, s, {.state = StageState::Failed, .detail = what, .log = log});
  }

  void build_stage(std::size_t e, std::size_t s) {
    std::string log;
    try {
      log = world_.state.fresh_log(builds_[e].plan.environment.name, builds_[e].plan.stages[s].name).string();
      change(e, s, {.state = StageState::Running, .detail = start_text(e, s), .log = log});
      run_stage(e, s, log);
    } catch (const Error& error) {
      if (error.status() == ExitStatus::EngineUnusable) {
        engine_error(e, s, error.what(), log);
      } else {
        failed(&BuildResult::input_failed);
        change(e, s, {.state = StageState::Failed, .detail = error.what(), .log = log});
      }
      workplaces_[e][s].reset();
    }
  }

  std::string start_text(std::size_t e, std::size_t s) const {
    const std::optional<Candidate>& start = builds_[e].decisions[s].start;
    if (!start) return {};
    if (start->snapshot == nullptr) return "from " + builds_[e].plan.environment.base_image;
    return (start->kind == Candidate::Kind::Parent ? "from " : "going on in ") +
           display_name(*start->snapshot);
  }

  // Where a stage runs: in the workplace that its parent left open, or in a new one.
  std::shared_ptr<Workplace> workplace(std::size_t e, std::size_t s) {
    const EnvironmentBuild& build = builds_[e];
    std::optional<std::size_t> parent = build.plan.stages[s].parent;
    if (build.decisions[s].start) {
      if (build.decisions[s].start->snapshot == nullptr) bring_base_image(e);
      return std::make_shared<Workplace>(settings_[e], *build.decisions[s].start, s);
    }
    if (std::shared_ptr<Workplace> open = std::move(workplaces_[e][*parent])) return open;
    std::optional<ImageInfo> image = world_.engine.find_image(status(e, *parent).image);
    std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
    if (!snapshot)
      throw EngineError(fmt::format("the image {} is gone since it was built", status(e, *parent).image));
    Candidate start{.kind = Candidate::Kind::Parent};
    {
      std::lock_guard lock(mutex_);
      start.snapshot = fresh_snapshots_.emplace_back(std::make_unique<Snapshot>(std::move(*snapshot))).get();
    }
    return std::make_shared<Workplace>(settings_[e], start, s);
  }

  void bring_base_image(std::size_t e) {
    const std::string& image = builds_[e].plan.environment.base_image;
    std::optional<ImageInfo> found = world_.engine.find_image(image);
    std::string why;
    if (!found) {
      reporter_.note(
          fmt::format("{}: pulling the base image {}", builds_[e].plan.environment.name, printable(image)));
      if (world_.engine.pull(image, why)) found = world_.engine.find_image(image);
    }
    if (!found)
      throw bad_input(
          "",
          fmt::format("the base image {} is not on this machine and cannot be pulled: {}{}", printable(image),
                      printable(trimmed(why)),
                      builds_[e].plan.environment.incremental ? images_beside(world_.engine, image) : ""));
    // Two stages may begin at the base image, each in a thread of its own.
    std::lock_guard lock(mutex_);
    if (settings_[e].base_digest.empty()) settings_[e].base_digest = digest_of(*found);
  }

  void run_stage(std::size_t e, std::size_t s, const std::string& log) {
    auto began = Clock::now();
    auto seconds = [&] { return std::chrono::duration<double>(Clock::now() - began).count(); };
    std::shared_ptr<Workplace> place = workplace(e, s);
    RunOutcome outcome;
    try {
      const EnvironmentStatus& shown = result_.environments[e];  // its names never change
      outcome = place->run(s, log, options_.stop, [&](std::string_view piece) {
        reporter_.printed(shown.name, shown.stage_names[s], piece);
      });
    } catch (const Error& error) {
      if (!place->has_worked()) throw;
      if (error.status() == ExitStatus::EngineUnusable) throw kept(*place, error);
      // Somebody edits the tree, say. What the stages before did in this container must not be lost.
      failed(&BuildResult::input_failed);
      std::string image = commit(*place, s, false);
      change(e, s,
             {.state = StageState::Failed,
              .seconds = seconds(),
              .detail = fmt::format("{}; what was done before is kept as {}", error.what(), image),
              .log = log,
              .image = image});
      return;
    }
    note_missing_packages(e, s, log);
    if (outcome.ok()) {
      StageStatus built{.state = StageState::Built, .log = log};
      if (builds_[e].decisions[s].commit) {
        built.detail = built.image = commit(*place, s, true);
        name_held(e, s, built.image);
      }
      if (!is_left_open(e, s)) place.reset();
      workplaces_[e][s] = std::move(place);
      built.seconds = seconds();
      change(e, s, std::move(built));
      return;
    }
    failed(&BuildResult::stage_failed);
    StageStatus bad{.state = outcome.stopped ? StageState::Interrupted : StageState::Failed, .log = log};
    bad.image = commit(*place, s, false);
    bad.detail = outcome.stopped ? "what was done is kept"
                 : outcome.out_of_memory
                     ? "it ran out of memory; what was done is kept"
                     : fmt::format("exit status {}; what was done is kept", outcome.exit_code);
    bad.detail += " as " + bad.image;
    bad.seconds = seconds();
    change(e, s, std::move(bad));
  }

  // Which of the system's packages an environment goes without stands in one line of a long log: people hear
  // it at the end of the run.
  void note_missing_packages(std::size_t e, std::size_t s, const std::string& log) {
    const StagePlan& plan = builds_[e].plan;
    if (!plan.environment.setup.ignore_missing || !prepares_system(plan.table.stages[s])) return;
    std::string line = last_line_with(log, kMissingLine);
    if (line.empty()) return;
    std::lock_guard lock(mutex_);
    last_notes_.push_back(fmt::format("{}: {}", plan.environment.name, printable(line)));
  }

  // Work that cannot be committed now (a full disk, an engine that is gone) stays in its container.
  static EngineError kept(Workplace& place, const Error& error) {
    return EngineError(fmt::format("{}; what was done stays in container {}, and the next run takes it over",
                                   error.what(), place.keep()));
  }

  std::string commit(Workplace& place, std::size_t stage, bool complete) {
    try {
      return place.commit(stage, complete);
    } catch (const Error& error) {
      throw kept(place, error);
    }
  }

  // A stage's container serves the next stage where no image of its own lies between, or where it goes on in
  // an older image: then its layer grows, and no layer is added per stage.
  bool is_left_open(std::size_t e, std::size_t s) const {
    const EnvironmentBuild& build = builds_[e];
    unsigned children = 0;
    for (std::size_t i = 0; i < build.plan.stages.size(); ++i)
      if (build.plan.stages[i].parent == s && build.decisions[i].action == StageDecision::Action::Build &&
          !build.decisions[i].start)
        ++children;
    return children == 1 && in_older(e, s);
  }

  bool in_older(std::size_t e, std::size_t s) const {
    for (std::optional<std::size_t> at = s; at; at = builds_[e].plan.stages[*at].parent)
      if (const std::optional<Candidate>& start = builds_[e].decisions[*at].start)
        return start->kind == Candidate::Kind::Older;
    return false;
  }

  const BuildWorld& world_;
  const std::vector<EnvironmentBuild>& builds_;
  const BuildOptions& options_;
  Reporter& reporter_;
  std::mutex mutex_;  // of result_, fresh_snapshots_ and last_notes_
  BuildResult result_;
  std::vector<std::unique_ptr<Snapshot>> fresh_snapshots_;
  std::vector<std::string> last_notes_;     // told when all has ended
  std::vector<WorkplaceSetting> settings_;  // one per environment
  std::vector<std::vector<std::shared_ptr<Workplace>>>
      workplaces_;  // per environment and stage: left open for the next
  std::atomic<bool> failed_{false};
};

}  // namespace

bool BuildResult::all_well() const {
  for (const EnvironmentStatus& environment : environments)
    for (const StageStatus& stage : environment.stages)
      if (stage.state != StageState::Built && stage.state != StageState::Reused &&
          stage.state != StageState::NotWanted)
        return false;
  return true;
}

EnvironmentStatus status_of(const EnvironmentBuild& build) {
  EnvironmentStatus status{.name = build.plan.environment.name, .stage_names = {}, .stages = {}};
  for (std::size_t s = 0; s < build.plan.stages.size(); ++s) {
    status.stage_names.push_back(build.plan.stages[s].name);
    StageStatus stage;
    switch (build.decisions[s].action) {
      case StageDecision::Action::NotWanted:
        stage.state = StageState::NotWanted;
        break;
      case StageDecision::Action::Build:
        stage.state = StageState::Waiting;
        break;
      case StageDecision::Action::Reuse:
        stage.state = StageState::Reused;
        stage.image = display_name(*build.decisions[s].image);
        break;
    }
    status.stages.push_back(std::move(stage));
  }
  return status;
}

BuildResult run_builds(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter) {
  return BuildRun(world, builds, options, reporter).run();
}

}  // namespace stagemake
