#include "run/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "base/caught_error.h"
#include "base/text.h"
#include "plan/richer.h"
#include "run/build_run.h"
#include "run/foreign_names.h"
#include "run/fresh_build.h"
#include "run/machine_watch.h"

namespace stagemake {
namespace {

// A stage takes a slot at least.
unsigned at_once(const BuildOptions& options) {
  return options.slots == nullptr ? options.at_once : std::min(options.at_once, options.slots->count());
}

// Of each make that runs, where most environments have one stage at a time.
unsigned fair_share(const JobSlots* slots, std::size_t at_once) {
  return slots == nullptr ? 1 : std::max(1u, slots->count() / static_cast<unsigned>(at_once));
}

bool is_proxy(const std::string& variable) {
  return variable.ends_with("_proxy") || variable.ends_with("_PROXY");
}

bool names_loopback(const std::string& url) {
  std::size_t scheme = url.find("://");
  std::string_view rest = std::string_view(url).substr(scheme == std::string::npos ? 0 : scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  if (std::size_t user = rest.rfind('@'); user != std::string_view::npos) rest.remove_prefix(user + 1);
  return rest.starts_with("127.") || rest.starts_with("[::1]") || rest == "localhost" ||
         rest.starts_with("localhost:");
}

}  // namespace

BuildRun::BuildRun(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                   const BuildOptions& options, Reporter& reporter)
    : world_(world),
      builds_(builds),
      options_(options),
      reporter_(reporter),
      at_once_(at_once(options)),
      heartbeat_(world.engine, world.state) {
  for (const EnvironmentBuild& build : builds) {
    result_.environments.push_back(status_of(build));
    settled_.push_back(std::make_unique<std::once_flag>());
    workplaces_.emplace_back(build.plan.stages.size());
    starts_.emplace_back(build.plan.stages.size());
    made_.emplace_back(build.plan.stages.size());
    records_.emplace_back(build.plan.stages.size());
    shared_.push_back(shared_stages(builds, shared_.size()));
    auto judge = [&world, &build](const Snapshot& snapshot, Candidate& candidate) {
      judge_packages(build.plan, world.packages, world.variables, build.restore, snapshot, candidate);
    };
    auto graph = [&world, &build](const std::optional<ConfiguredPackages>& configured) {
      return graph_of(world, build.plan.environment, configured);
    };
    settings_.push_back(
        {.engine = world.engine,
         .state = world.state,
         .packages = world.packages,
         .plan = build.plan,
         .sources = world.sources,
         .base_digest = build.restore.base_digest,
         .fresh_build = build.restore.fresh_build,
         .revision = world.revision,
         .repository = world.repository,
         .tags = world.tags,
         .clock = world.clock,
         .is_richer =
             [&world, &build](const Snapshot& there, const Snapshot& ours) {
               return is_richer(build.plan, world.packages, world.variables, there, ours);
             },
         .judge = judge,
         .graph = graph,
         .base_image = build.base_image,
         .slots = options.slots,
         .fair_share = fair_share(options.slots, std::min<std::size_t>(at_once_, builds.size())),
         .take_names = world.take_names,
         .heartbeat = &heartbeat_});
    for (const StageSpec& stage : build.plan.table.stages)
      settings_.back().networks.push_back(world.networks.of(stage, build.plan.environment.name));
  }
}

BuildResult BuildRun::run() {
  auto began = Clock::now();
  for (const EnvironmentBuild& build : builds_)
    for (const std::string& note : build.notes) reporter_.note(note);
  began_ = world_.clock.now();
  try {
    began_there_ = world_.engine.now();
  } catch (const Error&) {
    began_there_ = std::numeric_limits<double>::infinity();  // not known: was_set_back() is true
  }
  note_networks();
  std::vector<FlowStep> flow = steps();
  reporter_.begins(result_.environments);
  std::optional<MachineWatch> watch;
  bool anything =
      std::any_of(flow.begin(), flow.end(), [](const FlowStep& step) { return step.task.seconds > 0; });
  FlowExecutor executor(std::move(flow), {.at_once = at_once_, .memory = options_.memory});
  flow_ = &executor;
  if (options_.watch_every && anything)
    watch.emplace([this](MachineSample& sample) { complete(sample); },
                  [this](const MachineSample& sample) { reporter_.sampled(sample); }, *options_.watch_every);
  executor.run();
  watch.reset();
  auto built = Clock::now();
  if (options_.pushes != nullptr) options_.pushes->finish();
  auto seconds = [](Clock::duration duration) { return std::chrono::duration<double>(duration).count(); };
  reporter_.ends(result_.environments,
                 {.all = seconds(Clock::now() - began), .pushing = seconds(Clock::now() - built)});
  for (const std::string& note : last_notes_) reporter_.note(note);
  if (result_.out_of_time || options_.stop.stop_requested()) note_remaining();
  if (result_.all_well()) remember_finished(world_, builds_);
  return std::move(result_);
}

// What stages that are to run get for the networks that they are meant to have.
void BuildRun::note_networks() {
  std::set<Network> wanted;
  for (std::size_t e = 0; e < builds_.size(); ++e)
    for (std::size_t s = 0; s < builds_[e].decisions.size(); ++s)
      if (builds_[e].decisions[s].action == StageDecision::Action::Build)
        wanted.insert(settings_[e].networks[s]);
  for (Network network : wanted)
    if (std::string gap = world_.engine.network_gap(network); !gap.empty())
      reporter_.note(fmt::format("network `{}`: {}", name_of(network), gap));
    else if (network == Network::Default)
      note_proxies();
  note_closed_host();
}

// A proxy on this machine's loopback is none for what runs in another network.
void BuildRun::note_proxies() {
  std::set<std::string> told;
  for (const EnvironmentBuild& build : builds_)
    for (const StageSpec& stage : build.plan.table.stages)
      for (const std::string& name : stage.passes)
        if (is_proxy(name) && names_loopback(build.plan.environment.value(name)) && told.insert(name).second)
          reporter_.note(
              fmt::format("the proxy in {} is on this machine's loopback, which containers with the network "
                          "`default` do not reach: `--network host` gives them this machine's network",
                          name));
}

// A table of a pull request asks for more than it gets.
void BuildRun::note_closed_host() {
  for (std::size_t e = 0; e < builds_.size(); ++e)
    for (std::size_t s = 0; s < builds_[e].decisions.size(); ++s)
      if (const StageSpec& stage = builds_[e].plan.table.stages[s];
          builds_[e].decisions[s].action == StageDecision::Action::Build && stage.network == Network::Host &&
          settings_[e].networks[s] == Network::Default && !world_.networks.table_may_open_host) {
        reporter_.note(
            fmt::format("{}: {} asks for this machine's network, which a pull request does not open; "
                        "`--network {}=host` does",
                        builds_[e].plan.environment.name, stage.name, stage.name));
        return;
      }
}

// One per stage that is wanted, in the order that a simulation has them in; and what is to be expected of
// each.
std::vector<FlowStep> BuildRun::steps() {
  Outlook outlook = outlook_of(world_, builds_);
  std::vector<Task> tasks = tasks_of(outlook.simulated);
  for (std::size_t e = 0; e < builds_.size(); ++e)
    result_.environments[e].expected.resize(builds_[e].plan.stages.size());
  std::vector<FlowStep> steps;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    std::size_t e = outlook.stages[i].build, s = outlook.stages[i].stage;
    step_of_[{e, s}] = i;
    StageExpectation& expected = result_.environments[e].expected[s];
    expected = expectation_of(outlook.simulated[i], world_.packages, predicted_slots(), false);
    simulated_[{e, s}] = std::move(outlook.simulated[i]);
    if (s < builds_[e].reasons.size()) expected.reasons = builds_[e].reasons[s];
    steps.push_back({.task = tasks[i], .work = [this, e, s] { step(e, s); }});
  }
  return steps;
}

unsigned BuildRun::predicted_slots() const {
  if (options_.predicted_slots > 0) return options_.predicted_slots;
  return options_.slots != nullptr ? options_.slots->count()
                                   : std::max(1u, std::thread::hardware_concurrency());
}

// What is expected of a stage now, with the packages that it makes where it begins.
void BuildRun::tell_expected(std::size_t e, std::size_t s, bool in_detail) {
  std::lock_guard lock(mutex_);
  auto found = simulated_.find({e, s});
  if (found == simulated_.end()) return;
  StageExpectation now = expectation_of(found->second, world_.packages, predicted_slots(), in_detail);
  reporter_.expected(e, s, now);
  now.makes.clear();
  now.reasons = std::move(result_.environments[e].expected[s].reasons);
  result_.environments[e].expected[s] = std::move(now);
}

// Which packages later stages make is known exactly from here on.
void BuildRun::expect_after_configure(std::size_t e, std::size_t s,
                                      const std::optional<ConfiguredPackages>& configured) {
  if (!configured || builds_[e].plan.is_exact()) return;
  std::vector<SimulatedStage> after = stages_after(world_, builds_[e], s, *configured);
  for (std::size_t later = s + 1; later < after.size(); ++later) {
    std::vector<std::size_t> chain = builds_[e].plan.chain(later);
    if (std::find(chain.begin(), chain.end(), s) == chain.end()) continue;
    {
      std::lock_guard lock(mutex_);
      auto found = simulated_.find({e, later});
      if (found == simulated_.end() || result_.environments[e].stages[later].state != StageState::Waiting)
        continue;
      found->second = std::move(after[later]);
    }
    tell_expected(e, later, false);
  }
}

// The one function that changes a stage's state.
void BuildRun::change(std::size_t e, std::size_t s, StageStatus status) {
  std::lock_guard lock(mutex_);
  result_.environments[e].stages[s] = std::move(status);
  reporter_.changed(result_.environments, e, s);
}

StageStatus BuildRun::status(std::size_t e, std::size_t s) {
  std::lock_guard lock(mutex_);
  return result_.environments[e].stages[s];
}

// Whatever is thrown fails the stage and nothing else.
void BuildRun::step(std::size_t e, std::size_t s) {
  try {
    take_step(e, s);
  } catch (...) {
    Ran ran{.e = e, .s = s, .began = world_.clock.now()};
    escaped(ran);
  }
}

void BuildRun::take_step(std::size_t e, std::size_t s) {
  std::call_once(*settled_[e], [&] { settle(e); });
  const EnvironmentBuild& build = builds_[e];
  if (status(e, s).state == StageState::Failed) return;  // it could not even settle
  if (build.decisions[s].action == StageDecision::Action::Reuse) {
    name_reused(e, s);
    return;
  }
  std::optional<std::size_t> parent = build.plan.stages[s].parent;
  if (std::string why = reason_to_skip(e, s); !why.empty()) {
    if (parent) save_open(e, *parent);
    change(e, s, {.state = StageState::Skipped, .detail = why});
    return;
  }
  build_stage(e, s);
}

// Why a stage is not begun; empty where it is.
std::string BuildRun::reason_to_skip(std::size_t e, std::size_t s) {
  const StagePlan& plan = builds_[e].plan;
  if (std::optional<std::size_t> parent = plan.stages[s].parent) {
    StageState before = status(e, *parent).state;
    if (before != StageState::Built && before != StageState::Reused)
      return fmt::format("{} did not end well", plan.stages[*parent].name);
  }
  if (options_.stop.stop_requested() || (failed_ && !options_.keep_going)) return "the run was ended";
  std::optional<StageTimes> limits = times(e, s);
  if (!limits) return {};
  double left = limits->end - world_.clock.now();
  // Of what makes no packages nothing is left where it is cut off.
  bool makes = !plan.stages[s].make_targets.empty();
  double takes =
      makes ? 0 : world_.predictions.stage_seconds(plan.environment.name, plan.stages[s].name).value_or(0);
  if (world_.clock.now() < limits->close && takes <= left) return {};
  std::lock_guard lock(mutex_);
  result_.out_of_time = true;
  return "the deadline is near";
}

// The run ends between two stages that share a container: what the first one did gets an image after all.
void BuildRun::save_open(std::size_t e, std::size_t s) {
  Ran ran{.e = e, .s = s, .began = world_.clock.now()};
  ran.place = std::move(workplaces_[e][s]);
  if (!ran.place) return;
  StageStatus saved = status(e, s);
  ran.log = saved.log;
  try {
    saved.detail = saved.image = commit(ran, true);
    name_held(e, s, saved.image);
    push(e, s, saved.image, true, 0);
    drop_checkpoints(e, s, true);
    change(e, s, std::move(saved));
  } catch (...) {
    escaped(ran);
  }
}

// The names under which people find stage `s`.
std::vector<std::string> BuildRun::names_of_stage(std::size_t e, std::size_t s,
                                                  const std::string& repository) const {
  const StagePlan& plan = builds_[e].plan;
  std::vector<std::string> names;
  for (const std::string& tag : world_.tags)
    names.push_back(image_name(plan.table, repository, plan.environment.name, plan.stages[s].name) + ":" +
                    tag);
  return names;
}

// A reused image gets this build's names, where it does not have them yet.
void BuildRun::name_reused(std::size_t e, std::size_t s) {
  const Snapshot& image = *builds_[e].decisions[s].image;
  if (!image.complete || image.is_remote()) return;
  try {
    for (const std::string& name : names_of_stage(e, s, world_.repository))
      if (std::find(image.names.begin(), image.names.end(), name) == image.names.end())
        give_name(image.image, name);
    push(e, s, image.image, true, image.size);
  } catch (...) {
    failed(&BuildResult::engine_failed);
    change(e, s, {.state = StageState::Failed, .detail = caught_text()});
  }
}

// Stages that ran before in the same container, and of which no image was made: their names must not go on
// meaning what they meant with older sources. The image of `s` holds them.
void BuildRun::name_held(std::size_t e, std::size_t s, const std::string& image) {
  const EnvironmentBuild& build = builds_[e];
  for (std::optional<std::size_t> at = build.plan.stages[s].parent;
       at && build.decisions[*at].action == StageDecision::Action::Build && !is_committed(e, *at);
       at = build.plan.stages[*at].parent)
    for (const std::string& name : names_of_stage(e, *at, world_.repository)) give_name(image, name);
}

void BuildRun::give_name(const std::string& image, const std::string& name) {
  if (!world_.take_names && is_foreign_name(world_.engine, name)) return note_name_left(name);
  world_.engine.tag(image, name);
}

// Once for each name.
void BuildRun::note_name_left(const std::string& name) {
  std::lock_guard lock(mutex_);
  if (!names_left_.insert(name).second) return;
  reporter_.note(fmt::format(
      "{} is an image that stagemake did not make, and keeps that name; --take-names moves the name, "
      "--repository or --tag choose others",
      name));
}

// Sends an image on its way, while what comes next runs.
void BuildRun::push(std::size_t e, std::size_t s, const std::string& image, bool complete,
                    std::uint64_t bytes, bool required) {
  if (options_.pushes == nullptr || world_.push_repository.empty()) return;
  std::vector<std::string> names = names_of_stage(e, s, world_.push_repository);
  if (!complete) names = {names.front() + "-failed"};
  try {
    // Under a name that is left to somebody else's image, that image would be sent.
    if (!world_.take_names)
      std::erase_if(names, [&](const std::string& name) {
        bool is_left = is_foreign_name(world_.engine, name);
        if (is_left) note_name_left(name);
        return is_left;
      });
    if (world_.push_repository != world_.repository)
      for (const std::string& name : names) world_.engine.tag(image, name);
    // An upper bound of what is to be sent: layers that the registry has stay here.
    options_.pushes->add(names, bytes, required);
  } catch (...) {  // the image is made; that it is not sent fails no stage
    options_.pushes->add_failed(names, caught_text(), required);
  }
}

// What is done of an environment, what remains, how long that will take; nothing where all is done.
std::optional<RemainingWork> BuildRun::remaining(std::size_t e) const {
  const EnvironmentBuild& build = builds_[e];
  const Snapshot* furthest = nullptr;
  RemainingWork work{.environment = build.plan.environment.name, .is_exact = build.plan.is_exact()};
  if (build.starts_over) work.command = "the same command with --fresh instead of --start-over";
  if (build.restore.only != nullptr) work.command = "the same command without --restore";
  for (std::size_t s = 0; s < build.decisions.size(); ++s) {
    StageState state = result_.environments[e].stages[s].state;
    work.stages += state != StageState::NotWanted ? 1 : 0;
    work.stages_done += state == StageState::Built || state == StageState::Reused ? 1 : 0;
    const std::optional<Candidate>& start = build.decisions[s].start;
    for (const Snapshot* held : {build.decisions[s].image, start ? start->snapshot : nullptr, made_[e][s]})
      if (held != nullptr) furthest = held;
  }
  if (work.stages_done == work.stages) return std::nullopt;
  if (std::optional<std::size_t> configuring = build.plan.configuring_stage();
      configuring && furthest != nullptr) {
    const PlannedStage& configured = build.plan.stages[*configuring];
    const LineageEntry* held = furthest->holds(configured.name);
    work.is_exact = work.is_exact || (furthest->configured && held != nullptr && held->key == configured.key);
  }
  Candidate rest{.snapshot = furthest};
  CandidateJudge(build.plan, world_.packages, world_.variables, build.restore).weigh(rest);
  work.packages_done = rest.ready;
  work.seconds = rest.build_seconds;
  for (PackageId id : rest.to_build) work.packages.push_back(world_.packages[id].name);
  return work;
}

// The last lines of a run that did not come to its end.
void BuildRun::note_remaining() {
  std::vector<RemainingWork> all;
  for (std::size_t e = 0; e < builds_.size(); ++e)
    if (std::optional<RemainingWork> work = remaining(e)) all.push_back(std::move(*work));
  for (const std::string& line : remaining_lines(std::move(all))) reporter_.note(line);
}

// Notes that the run fails, and what kind of failure it was.
void BuildRun::failed(bool BuildResult::*kind) {
  failed_ = true;
  std::lock_guard lock(mutex_);
  result_.*kind = true;
}

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

BuildResult run_builds(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter) {
  return BuildRun(world, builds, options, reporter).run();
}

}  // namespace stagemake
