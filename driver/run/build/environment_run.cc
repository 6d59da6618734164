#include "run/build/environment_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"
#include "registry/transfer_failure.h"
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

EnvironmentRun::EnvironmentRun(const RunContext& run, EnvironmentBuild& build, std::size_t index,
                               const EnvironmentRun* donor, std::size_t shared)
    : run_(run),
      build_(build),
      index_(index),
      donor_(donor),
      shared_(shared),
      setting_(setting_of(run, build)) {
  for (std::size_t s = 0; s < build.plan.stages.size(); ++s) stages_.emplace_back(run, *this, s);
}

void EnvironmentRun::resolve_start() {
  std::call_once(resolved_, [this] { StartResolution(run_, *this).resolve(); });
}

Transfer EnvironmentRun::pull(const std::string& image, std::uint64_t bytes) {
  constexpr unsigned kAttempts = 3;
  double pause = 1;  // seconds; doubled with each attempt
  Clock& clock = run_.world.clock;
  for (unsigned attempt = 1;; ++attempt, pause *= 2) {
    double began = clock.now();
    Transfer pulled = run_.world.engine.pull(image, run_.options.stop);
    double now = clock.now();
    if (bytes > 0)
      run_.world.journal.add(TransferRecord{.kind = TransferRecord::Kind::Pull,
                                            .when = static_cast<std::int64_t>(now),
                                            .host = registry_host(image),
                                            .bytes = bytes,
                                            .seconds = now - began,
                                            .ok = pulled.ok});
    if (pulled.ok || attempt == kAttempts || run_.options.stop.stop_requested() ||
        !is_transient_failure(pulled.why, image))
      return pulled;
    run_.progress.note(fmt::format("pulling {} failed on attempt {} of {}: {}", printable(image), attempt,
                                   kAttempts, printable(trimmed(pulled.why))));
    clock.sleep(pause, run_.options.stop);
  }
}

// What to do if the base image cannot be had.
std::string EnvironmentRun::way_out(const std::string& image) const {
  return plan().environment.incremental ? images_beside(run_.world.engine, run_.world.registries, image)
                                        : "\n" + base_image_advice(run_.world.engine.name(), image);
}

void EnvironmentRun::bring_base_image() {
  const std::string& image = build_.base_image;
  std::optional<ImageInfo> found = run_.world.engine.find_image(image);
  std::string why;
  if (!found) {
    run_.progress.note(fmt::format("{}: pulling the base image {}", name(), printable(image)));
    Transfer pulled = pull(image, 0);
    why = pulled.why;
    if (pulled.ok) found = run_.world.engine.find_image(image);
  }
  if (!found && run_.options.stop.stop_requested())
    throw Error(ExitStatus::Interrupted,
                fmt::format("the run was stopped while the base image {} was pulled", printable(image)));
  if (!found)
    throw bad_input("", fmt::format("the base image {} is not on this machine and cannot be pulled: {}{}",
                                    printable(image), printable(trimmed(why)), way_out(image)));
  if (std::string why_not = volumes_in_the_way(*found, run_.world.table.root); !why_not.empty())
    throw bad_input("", fmt::format("the base image {} cannot be used: {}", printable(image), why_not));
  // Two stages may start from the base image, each in its own thread.
  std::lock_guard lock(mutex_);
  if (setting_.base_digest.empty()) setting_.base_digest = digest_of(*found);
  setting_.base_size = found->size;
}

std::string EnvironmentRun::bring_times(const std::string& image, BuildContainer& container) {
  std::string why = container.bring_times({.stop = run_.options.stop, .kill = run_.options.kill});
  if (!container.times_note().empty())
    run_.progress.note(fmt::format("{}: {}: {}", name(), printable(image), container.times_note()));
  return why;
}

void EnvironmentRun::expect_after_configure(std::size_t configuring,
                                            const std::optional<ConfiguredPackages>& configured) {
  if (!configured || plan().is_exact()) return;
  std::vector<SimulatedStage> after =
      stages_after(estimate_basis(run_.world), build_, configuring, *configured);
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
  CandidateJudge(plan(), run_.world.graphs, build_.restore).weigh(rest);
  work.packages_done = rest.ready;
  work.seconds = rest.build_seconds;
  for (PackageId id : rest.to_build) work.packages.push_back(run_.world.packages[id].name);
  return work;
}

}  // namespace stagemake
