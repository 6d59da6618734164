#include "run/build/environment_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text/text.h"
#include "registry/transfer_failure.h"
#include "run/build/hosts.h"
#include "run/build/prepare.h"
#include "run/build/start_resolution.h"
#include "run/container/volumes.h"
#include "run/images/base_image_advice.h"
#include "snapshot/richer.h"

namespace stagemake {
namespace {

// Job slots for a make that cannot take part in the pool: most environments run one stage at a time.
unsigned fair_share(const RunContext& run) {
  if (run.options.slots == nullptr) return 1;
  auto at_once = static_cast<unsigned>(std::min<std::size_t>(run.at_once, run.environments));
  return std::max(1u, run.options.slots->count() / at_once);
}

ContainerSetting setting_of(const RunContext& run, const EnvironmentBuild& build) {
  const BuildWorld& world = run.world;
  ContainerSetting setting{.engine = world.engine,
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
                                 return is_richer(build.plan, world.graphs, there, ours);
                               },
                           .judge =
                               [&world, &build](const Snapshot& snapshot, Candidate& candidate) {
                                 judge_packages(build.plan, world.graphs, build.restore, snapshot, candidate);
                               },
                           .graphs = world.graphs,
                           .base_image = build.base_image,
                           .slots = run.options.slots,
                           .fair_share = fair_share(run),
                           .take_names = world.take_names,
                           .heartbeat = &run.heartbeat};
  for (const StageSpec& stage : build.plan.table.stages)
    setting.networks.push_back(world.networks.of(stage, build.plan.environment.name));
  return setting;
}

}  // namespace

EnvironmentRun::EnvironmentRun(Hosts& hosts, EnvironmentBuild& build, std::size_t index,
                               const EnvironmentRun* donor, std::size_t shared)
    : hosts_(hosts),
      here_(&hosts[0]),
      build_(build),
      index_(index),
      donor_(donor),
      shared_(shared),
      has_ended_(build.plan.stages.size()) {
  take_share();
  settings_.push_back(setting_of(here(), build));
  for (std::size_t s = 0; s < build.plan.stages.size(); ++s) {
    stages_.emplace_back(*this, s);
    steps_ += build.decisions[s].action != StageDecision::Action::NotWanted ? 1 : 0;
  }
  steps_left_ = steps_;
}

bool EnvironmentRun::begin_step(std::optional<std::size_t> host, std::size_t stage) {
  std::lock_guard lock(resolving_);
  if (has_left_) return false;
  if (!host) return fail_without_host(stage), false;
  if (*host != here().host) {
    // Work in a container that waits for the next stage gets an image, which can be moved.
    if (!hosts_.is_lost(here().host))
      for (StageRun& one : stages_) one.save_open();
    if (has_left_) return false;
    move_to(*host);
  }
  if (is_resolved_) return true;
  try {
    if (!is_decided_here_) decide_here();
    is_decided_here_ = true;
  } catch (const EngineError& error) {
    if (leave_host(error.what())) return false;
    throw;
  }
  StartResolution(here(), *this).resolve();
  if (has_left_) return false;
  if (lacks_ended_stages() && leave_host("images of stages that are done cannot be used there", true))
    return false;
  is_resolved_ = true;
  return true;
}

// Its first stage that waits fails, and the others are skipped.
void EnvironmentRun::fail_without_host(std::size_t stage) {
  StageRun& one = stages_[stage];
  if (one.status().state != StageState::Waiting) return;
  if (here().options.stop.stop_requested())
    return one.change({.state = StageState::Skipped, .detail = "the run was stopped"});
  StageRun* before = one.parent();
  if (before != nullptr &&
      (before->status().state == StageState::Failed || before->status().state == StageState::Skipped))
    return one.change(
        {.state = StageState::Skipped, .detail = fmt::format("{} did not succeed", before->name())});
  here().progress.fail(&BuildResult::engine_failed);
  one.change({.state = StageState::Failed, .detail = "no host is left for it: " + join(refusals_, "; ")});
}

// Whether stages would have to be built that have had their step.
bool EnvironmentRun::lacks_ended_stages() const {
  for (std::size_t s = 0; s < stages_.size(); ++s)
    if (has_ended_[s] && build_.decisions[s].action == StageDecision::Action::Build) {
      StageState state = stages_[s].status().state;
      if (state == StageState::Waiting) return true;
    }
  return false;
}

void EnvironmentRun::end_step(std::size_t stage) noexcept {
  std::lock_guard lock(resolving_);
  has_ended_[stage] = true;
  if (--steps_left_ > 0) return;
  steps_left_ = steps_;
  has_ended_.assign(has_ended_.size(), false);
  has_left_ = false;
}

bool EnvironmentRun::leave_host(const std::string& why, bool excludes) {
  if (!hosts_.are_several() || here().options.stop.stop_requested()) return false;
  constexpr unsigned kMostTimes = 5;  // per host
  std::lock_guard lock(resolving_);
  if (has_left_) return true;
  if (++times_left_ > kMostTimes * hosts_.size()) return false;
  std::size_t host = here().host;
  std::string text = fmt::format("{}: {}", hosts_.name(host), printable(trimmed(why)));
  if (std::find(refusals_.begin(), refusals_.end(), text) == refusals_.end()) refusals_.push_back(text);
  // An engine that was restarted works again.
  bool is_lost = hosts_.check(host);
  if (!is_lost && (excludes || ++failures_[host] > 1)) {
    here().progress.note(fmt::format("{} is not built on host {} any more: {}", name(), hosts_.name(host),
                                     printable(trimmed(why))));
    flow_->exclude(index_, host);
  }
  flow_->repeat(index_);
  is_resolved_ = is_decided_here_ = false;
  has_left_ = true;
  return true;
}

// Without a pool, each make gets an equal share of its host.
void EnvironmentRun::take_share() {
  if (!hosts_.are_several() || build_.plan.environment.jobs > 0) return;
  std::map<std::string, std::string>& values = build_.plan.environment.values;
  if (here().options.slots != nullptr) {
    if (std::exchange(has_share_, false)) values.erase("MAKE");
    return;
  }
  auto at_once = static_cast<unsigned>(std::min<std::size_t>(here().at_once, here().environments));
  values["MAKE"] = fmt::format("make -j{}", std::max(1u, here().predicted_slots() / std::max(1u, at_once)));
  has_share_ = true;
}

void EnvironmentRun::move_to(std::size_t host) {
  here_ = &hosts_[host];
  take_share();
  settings_.push_back(setting_of(here(), build_));
  is_resolved_ = is_decided_here_ = false;
}

// Decides once more, by what this host has and can get from others.
void EnvironmentRun::decide_here() {
  SnapshotList registries = build_.snapshots;
  if (times_left_ > 0 && here().options.look_again)
    registries = share(here().options.look_again(name(), here().options.stop));
  build_.snapshots = hosts_.images(name(), here().host, registries);
  if (std::optional<ImageInfo> base = here().world.engine.find_image(build_.base_image))
    settings_.back().base_digest = build_.restore.base_digest = digest_of(*base);
  build_.decisions = decide(build_.plan, here().world.graphs, build_.snapshots, build_.restore);
  EnvironmentStatus now = status_of(build_);
  for (std::size_t s = 0; s < now.stages.size(); ++s) {
    StageRun& stage = stages_[s];
    stage.forget();
    StageState before = stage.status().state, after = now.stages[s].state;
    bool is_done = before == StageState::Built && after == StageState::Reused;
    if (!is_done && before != after) stage.change(now.stages[s]);
  }
}

Transfer EnvironmentRun::pull(const std::string& image, std::uint64_t bytes) {
  constexpr unsigned kAttempts = 3;
  double pause = 1;  // seconds; doubled with each attempt
  Clock& clock = here().world.clock;
  for (unsigned attempt = 1;; ++attempt, pause *= 2) {
    double began = clock.now();
    Transfer pulled = here().world.engine.pull(image, here().options.stop);
    double now = clock.now();
    if (bytes > 0)
      here().world.journal.add(TransferRecord{.kind = TransferRecord::Kind::Pull,
                                              .when = static_cast<std::int64_t>(now),
                                              .host = registry_host(image),
                                              .bytes = bytes,
                                              .seconds = now - began,
                                              .ok = pulled.ok});
    if (pulled.ok || attempt == kAttempts || here().options.stop.stop_requested() ||
        !is_transient_failure(pulled.why, image))
      return pulled;
    here().progress.note(fmt::format("pulling {} failed on attempt {} of {}: {}", printable(image), attempt,
                                     kAttempts, printable(trimmed(pulled.why))));
    clock.sleep(pause, here().options.stop);
  }
}

// What to do if the base image cannot be had.
std::string EnvironmentRun::way_out(const std::string& image) const {
  return plan().environment.incremental ? images_beside(here().world.engine, here().world.registries, image)
                                        : "\n" + base_image_advice(here().world.engine.name(), image);
}

void EnvironmentRun::bring_base_image() {
  const std::string& image = build_.base_image;
  std::optional<ImageInfo> found = here().world.engine.find_image(image);
  std::string why;
  if (!found && hosts_.are_several() && hosts_.bring_by_name(image, here().host, here().options.stop))
    found = here().world.engine.find_image(image);
  if (!found) {
    here().progress.note(fmt::format("{}: pulling the base image {}", name(), printable(image)));
    Transfer pulled = pull(image, 0);
    why = pulled.why;
    if (pulled.ok) found = here().world.engine.find_image(image);
  }
  if (!found && here().options.stop.stop_requested())
    throw Error(ExitStatus::Interrupted,
                fmt::format("the run was stopped while the base image {} was pulled", printable(image)));
  if (!found && hosts_.are_several())  // another host may get it
    throw EngineError(fmt::format("the base image {} is not there and cannot be pulled: {}", printable(image),
                                  printable(trimmed(why))));
  if (!found)
    throw bad_input("", fmt::format("the base image {} is not on this machine and cannot be pulled: {}{}",
                                    printable(image), printable(trimmed(why)), way_out(image)));
  if (std::string why_not = volumes_in_the_way(*found, here().world.table.root); !why_not.empty())
    throw bad_input("", fmt::format("the base image {} cannot be used: {}", printable(image), why_not));
  // Two stages may start from the base image, each in its own thread.
  std::lock_guard lock(mutex_);
  if (settings_.back().base_digest.empty()) settings_.back().base_digest = digest_of(*found);
  settings_.back().base_size = found->size;
}

std::string EnvironmentRun::bring_times(const std::string& image, BuildContainer& container) {
  std::string why = container.bring_times({.stop = here().options.stop, .kill = here().options.kill});
  if (!container.times_note().empty())
    here().progress.note(fmt::format("{}: {}: {}", name(), printable(image), container.times_note()));
  return why;
}

void EnvironmentRun::expect_after_configure(std::size_t configuring,
                                            const std::optional<ConfiguredPackages>& configured) {
  if (!configured || plan().is_exact()) return;
  std::vector<SimulatedStage> after =
      stages_after(estimate_basis(here().world), build_, configuring, *configured);
  for (std::size_t later = configuring + 1; later < after.size(); ++later) {
    std::vector<std::size_t> chain = plan().chain(later);
    if (std::find(chain.begin(), chain.end(), configuring) != chain.end())
      stages_[later].expect(std::move(after[later]));
  }
}

std::optional<RemainingWork> EnvironmentRun::remaining() const {
  SnapshotPtr furthest;
  RemainingWork work{.environment = name(), .is_exact = plan().is_exact()};
  if (build_.starts_over)
    work.command = build_.restore.fresh ? "the same command with --fresh instead of --start-over"
                                        : "the same command without --start-over";
  if (build_.restore.only != nullptr) work.command = "the same command without --restore";
  for (const StageRun& stage : stages_) {
    StageState state = stage.status().state;
    work.stages += state != StageState::NotWanted ? 1 : 0;
    work.stages_done += state == StageState::Built || state == StageState::Reused ? 1 : 0;
    const StageDecision& decision = stage.decision();
    for (const SnapshotPtr& held :
         {decision.image, decision.start ? decision.start->snapshot : nullptr, stage.made()})
      if (held != nullptr) furthest = held;
  }
  if (work.stages_done == work.stages) return std::nullopt;
  if (std::optional<std::size_t> configuring = plan().configuring_stage();
      configuring && furthest != nullptr) {
    const PlannedStage& configured = plan().stages[*configuring];
    const LineageEntry* held = furthest->holds(configured.name);
    work.is_exact = work.is_exact || (furthest->configured && held != nullptr && held->key == configured.key);
  }
  Candidate rest{.snapshot = furthest};
  CandidateJudge(plan(), here().world.graphs, build_.restore).weigh(rest);
  work.packages_done = rest.ready;
  work.seconds = rest.build_seconds;
  for (PackageId id : rest.to_build) work.packages.push_back(here().world.packages[id].name);
  return work;
}

}  // namespace stagemake
