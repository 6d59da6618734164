#include "run/build/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/process/machine.h"
#include "base/text/labels.h"
#include "base/text/text.h"
#include "run/container/image_survey.h"
#include "schedule/predicted_costs.h"

namespace stagemake {
namespace {

std::vector<std::size_t> target_stages(const StageTable& table, const std::vector<std::string>& targets) {
  std::vector<std::size_t> stages;
  for (const std::string& target : targets) {
    std::optional<std::size_t> stage = table.find(target);
    if (!stage) {
      std::vector<std::string> names;
      for (const StageSpec& spec : table.stages) names.push_back(spec.name);
      throw bad_input(
          "", fmt::format("no stage is named {}; there are {}", printable(target), join(names, ", ")));
    }
    stages.push_back(*stage);
  }
  return stages;
}

// Each must be on the way to a target.
std::vector<std::size_t> stages_to_rebuild(const StageTable& table, const std::vector<std::string>& asked,
                                           const std::vector<std::string>& targets) {
  std::vector<std::size_t> stages = target_stages(table, asked);
  std::set<std::size_t> wanted;
  for (std::size_t target : target_stages(table, targets))
    for (std::size_t stage : table.chain(target)) wanted.insert(stage);
  for (std::size_t stage : stages)
    if (!wanted.contains(stage))
      throw bad_input("--rebuild",
                      fmt::format("{0} is no stage of this build, which ends at {1}; add --to {0}",
                                  table.stages[stage].name, join(targets, ", ")));
  return stages;
}

Costs costs_of(const BuildWorld& world, const StagePlan& plan) {
  Costs costs = predicted_costs(world.predictions, world.packages, plan);
  costs.fetch_seconds = [&world](const Snapshot& snapshot) {
    return world.predictions.fetch_seconds(snapshot.fetch_size, place_of_transfer(snapshot));
  };
  return costs;
}

bool is_named(const Snapshot& snapshot, const std::string& name) {
  std::string id = snapshot.image.starts_with("sha256:") ? snapshot.image.substr(7) : snapshot.image;
  std::string wanted = name.starts_with("sha256:") ? name.substr(7) : name;
  return std::find(snapshot.names.begin(), snapshot.names.end(), name) != snapshot.names.end() ||
         (!snapshot.digest.empty() && name.ends_with("@" + snapshot.digest)) ||
         (wanted.size() >= 6 && id.starts_with(wanted));
}

SnapshotPtr forced_snapshot(const SnapshotList& snapshots, const std::string& name) {
  // An image on this machine needs no fetch.
  SnapshotPtr found;
  for (const SnapshotPtr& snapshot : snapshots)
    if (is_named(*snapshot, name) && (found == nullptr || found->is_remote())) found = snapshot;
  if (found == nullptr)
    throw bad_input("--restore",
                    fmt::format("no image of stagemake's is named {}; `stagemake snapshots` lists "
                                "those here, --from names repositories to look into",
                                printable(name)));
  return found;
}

// The build must start from the requested image.
void check_forced(const EnvironmentBuild& build) {
  const SnapshotPtr& forced = build.restore.only;
  std::string why = "no stage of this build can start from it";
  for (const StageDecision& decision : build.decisions) {
    if (decision.image == forced || (decision.start && decision.start->snapshot == forced)) return;
    for (const Candidate& candidate : decision.candidates)
      if (candidate.snapshot == forced && !candidate.refused.empty()) why = candidate.refused;
  }
  if (forced->environment != build.plan.environment.name)
    why = "it is of the environment " + printable(forced->environment);
  throw bad_input("--restore", fmt::format("{} cannot be used for {}: {}", display_name(*forced),
                                           build.plan.environment.name, why));
}

// The newest image of the environment, if it was built on another base image than the current one; else null.
SnapshotPtr built_on_other_base(const EnvironmentBuild& build) {
  SnapshotPtr newest;
  for (const SnapshotPtr& shared : build.snapshots) {
    const Snapshot& snapshot = *shared;
    bool same_environment = snapshot.environment == build.plan.environment.name &&
                            snapshot.distribution == build.plan.table.distribution;
    if (!same_environment || snapshot.base_digest.empty() || build.restore.base_digest.empty()) continue;
    if (newest == nullptr || snapshot.created > newest->created) newest = shared;
  }
  return newest != nullptr && newest->base_digest != build.restore.base_digest ? newest : nullptr;
}

std::optional<ImageInfo> base_image(const BuildWorld& world, const std::string& name) {
  return world.bases != nullptr ? world.bases->find(name) : world.engine.find_image(name);
}

// The name of a base image may point to other content later.
void settle_base(const BuildWorld& world, EnvironmentBuild& build) {
  const Environment& environment = build.plan.environment;
  build.base_image = environment.base_image;
  SnapshotPtr moved = environment.incremental ? nullptr : built_on_other_base(build);
  if (moved == nullptr) return;
  if (std::string before = moved->base_image(); !before.empty() && before != environment.base_image) {
    build.notes.push_back(fmt::format("{}: the base image is now {}, but {} was built on {}",
                                      environment.name, printable(environment.base_image),
                                      display_name(*moved), printable(before)));
    return;
  }
  std::string text = fmt::format("{}: the base image {} has moved: {} was built on {}, it is {} now",
                                 environment.name, printable(environment.base_image), display_name(*moved),
                                 printable(moved->base_digest), build.restore.base_digest);
  switch (build.restore.base_policy) {
    case BasePolicy::Follow:
      text += "; its stages are rebuilt (--base-policy pin or warn reuses them)";
      break;
    case BasePolicy::Warn:
      text += "; the build continues from images that were built on the old one";
      break;
    case BasePolicy::Pin: {
      text += "; the build stays on the old one";
      std::string repository = environment.base_image.substr(0, environment.base_image.find('@'));
      std::size_t colon = repository.rfind(':');
      if (colon != std::string::npos && repository.find('/', colon) == std::string::npos)
        repository.erase(colon);
      // Its id, if it was never in a registry.
      build.base_image =
          base_image(world, moved->base_digest) ? moved->base_digest : repository + "@" + moved->base_digest;
      build.restore.base_digest = moved->base_digest;
    }
  }
  build.notes.push_back(std::move(text));
}

void note_dropped_job_counts(EnvironmentBuild& build) {
  const Environment& environment = build.plan.environment;
  if (environment.job_counts_dropped.empty()) return;
  build.notes.push_back(fmt::format(
      "{}: -j in {} is ignored: make builds one target after the other, and the makes below it share "
      "the job slots "
      "(--slots, NUMPROC)",
      environment.name, join(environment.job_counts_dropped, ", ")));
}

}  // namespace

std::string place_of_transfer(const Snapshot& image) {
  return image.host.empty() ? registry_host(image.reference) : "host " + image.host;
}

std::string digest_of(const ImageInfo& image) {
  return image.digest.empty() ? image.id : image.digest;
}

std::vector<Snapshot> find_snapshots(ContainerEngine& engine, const StageTable& table,
                                     std::vector<std::string>* problems) {
  std::vector<Snapshot> snapshots;
  for (const ImageInfo& image :
       engine.list_images(std::string(kSchemaLabel), std::to_string(kSnapshotSchema))) {
    std::optional<Snapshot> snapshot = snapshot_of(image);
    if (snapshot && snapshot->distribution == table.distribution) snapshots.push_back(std::move(*snapshot));
    std::string why = image.problem.empty() ? unfit_label(image.labels, kLabelPrefix) : image.problem;
    if (!why.empty() && problems != nullptr)
      problems->push_back(fmt::format("the image {} is skipped: {}",
                                      printable(image.names.empty() ? image.id : image.names.front()), why));
  }
  return snapshots;
}

std::optional<ConfiguredPackages> known_configured(const StateFolder& state, const StagePlan& plan,
                                                   const SnapshotList& snapshots) {
  std::optional<std::size_t> stage = plan.configuring_stage();
  if (!stage) return std::nullopt;
  const std::string& key = plan.stages[*stage].key;
  for (const SnapshotPtr& shared : snapshots) {
    const Snapshot& snapshot = *shared;
    const LineageEntry* entry = snapshot.holds(plan.stages[*stage].name);
    bool finished = snapshot.complete || snapshot.stage != plan.stages[*stage].name;
    if (entry == nullptr || entry->key != key || !finished || !snapshot.configured) continue;
    return snapshot.configured;
  }
  return state.configured(key);
}

StagePlan plan_of(const BuildWorld& world, const Environment& environment, const SnapshotList& snapshots) {
  StagePlan plan = make_stage_plan(world.graphs, world.table, environment, world.sources);
  if (std::optional<ConfiguredPackages> configured = known_configured(world.state, plan, snapshots))
    set_packages_exactly(plan, world.graphs, *configured);
  return plan;
}

EnvironmentBuild prepare(const BuildWorld& world, const Environment& environment,
                         const std::vector<std::string>& targets, const SnapshotList& snapshots,
                         const RestoreSettings& settings) {
  EnvironmentBuild build;
  build.snapshots = snapshots;
  build.plan = plan_of(world, environment, snapshots);
  build.strict = settings.strict;
  build.restore = {.targets = target_stages(world.table, targets),
                   .fresh = settings.fresh,
                   .rebuild = stages_to_rebuild(world.table, settings.rebuild, targets),
                   .clean_only = settings.clean_only,
                   .base_policy = settings.base_policy,
                   .cpu = cpu_features(),
                   .costs = costs_of(world, build.plan)};
  if (std::optional<ImageInfo> base = base_image(world, environment.base_image)) {
    build.restore.base_digest = digest_of(*base);
    if (std::optional<Snapshot> held = environment.incremental ? snapshot_of(*base) : std::nullopt)
      build.restore.base = std::make_shared<Snapshot>(std::move(*held));
  }
  if (auto told = world.base_digests.find(environment.base_image);
      build.restore.base_digest.empty() && told != world.base_digests.end())
    build.restore.base_digest = told->second;
  if (!settings.restore.empty()) build.restore.only = forced_snapshot(snapshots, settings.restore);
  settle_base(world, build);
  note_dropped_job_counts(build);
  build.decisions = decide(build.plan, world.graphs, snapshots, build.restore);
  if (build.restore.only != nullptr) check_forced(build);
  return build;
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

}  // namespace stagemake
