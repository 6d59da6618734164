#include "schedule/estimate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

using Action = StageDecision::Action;

// Times the measured memory of a stage, which is only sampled from time to time.
constexpr double kMemoryMargin = 1.2;

// For each package of a stage, the packages of this stage that it needs, by position.
std::vector<SimulatedPackage> simulated_packages(const DependencyGraph& graph, const StageEstimate& stage) {
  std::map<PackageId, std::size_t> positions;
  std::vector<SimulatedPackage> packages;
  for (std::size_t i = 0; i < stage.packages.size(); ++i) {
    PackageId id = stage.packages[i];
    SimulatedPackage package{.seconds = stage.package_seconds[i], .id = id};
    for (auto needed : {graph.normal_dependencies(id), graph.order_only_dependencies(id)})
      for (PackageId one : needed)
        if (auto found = positions.find(one); found != positions.end())
          package.needs.push_back(found->second);
    positions[id] = i;
    packages.push_back(std::move(package));
  }
  return packages;
}

void fill_in(SimulatedStage& simulated, const DependencyGraph& graph, const StageEstimate& stage) {
  simulated.waiting_seconds = stage.fetch_seconds;
  simulated.alone_seconds = stage.beside_seconds;
  simulated.packages = simulated_packages(graph, stage);
}

bool begins_at_base(const StageDecision& decision) {
  return decision.action == Action::Build && decision.start && decision.start->snapshot == nullptr;
}

// Whether `other` makes the same stage as `build` at this position.
bool makes_the_same(const DecidedEnvironment& other, const DecidedEnvironment& build, std::size_t stage) {
  return stage < other.plan.stages.size() && other.plan.stages[stage].key == build.plan.stages[stage].key &&
         other.plan.stages[stage].name == build.plan.stages[stage].name &&
         other.decisions[stage].action == Action::Build && other.decisions[stage].commit &&
         build.decisions[stage].action == Action::Build;
}

// Bytes; 0 if not known.
std::uint64_t predicted_memory(const EstimateBasis& basis, const StagePlan& plan, std::size_t stage) {
  std::uint64_t most =
      basis.predictions.stage_memory(plan.environment.name, plan.stages[stage].name).value_or(0);
  return static_cast<std::uint64_t>(kMemoryMargin * static_cast<double>(most));
}

// Whether it starts from an image of a host: the environment is built there, unless it is brought elsewhere.
bool is_on_a_host(const StageDecision& decision) {
  const SnapshotPtr& image = decision.start ? decision.start->snapshot : decision.image;
  return image != nullptr && !image->host.empty();
}

// The times to bring what a stage starts from to another host.
void fill_in_transfers(SimulatedStage& simulated, const EstimateBasis& basis, const DecidedEnvironment& build,
                       std::size_t stage) {
  constexpr std::uint64_t kUnknownImage = 1'000'000'000;  // bytes
  const std::string& environment = build.plan.environment.name;
  if (simulated.after) {
    std::optional<std::size_t> parent = build.plan.stages[stage].parent;
    std::uint64_t bytes = kUnknownImage;
    if (parent)
      bytes = basis.predictions.stage_bytes(environment, build.plan.stages[*parent].name).value_or(bytes);
    simulated.move_seconds = basis.predictions.fetch_seconds(bytes, "host " + basis.hosts.front());
    return;
  }
  // The first stage, also one that is reused, takes its environment to a host.
  auto starts =
      std::find_if(build.decisions.begin(), build.decisions.end(), [](const StageDecision& decision) {
        return decision.action == StageDecision::Action::Build && decision.start;
      });
  SnapshotPtr from = starts == build.decisions.end() ? build.decisions[stage].image : starts->start->snapshot;
  if (from == nullptr || !from->reference.empty()) return;
  const Snapshot& image = *from;
  const std::string& sends = image.host.empty() ? basis.hosts.front() : image.host;
  double seconds = basis.predictions.fetch_seconds(image.size, "host " + sends);
  for (const std::string& host : basis.hosts) simulated.bring_seconds.push_back(host == sends ? 0 : seconds);
}

// Besides packages: a stage that makes none costs what it took before, or a default.
void add_guess_of_stage(EstimateSums& sums, const EstimateBasis& basis, const DecidedEnvironment& environment,
                        const EstimatedStage& stage) {
  const PlannedStage& planned = environment.plan.stages[stage.stage];
  if (stage.estimate.action != StageEstimate::Action::Built || !planned.make_targets.empty()) return;
  if (basis.predictions.stage_seconds(environment.plan.environment.name, planned.name)) return;
  ++sums.guessed_stages;
  sums.guessed_seconds += stage.estimate.beside_seconds;
}

}  // namespace

std::optional<SharedStages> shared_stages(const DecidedEnvironments& environments, std::size_t b) {
  const DecidedEnvironment& build = *environments[b];
  if (build.decisions.empty() || !begins_at_base(build.decisions.front()) || build.restore.only != nullptr)
    return std::nullopt;
  for (std::size_t other = 0; other < b; ++other) {
    if (environments[other]->base_image != build.base_image ||
        !begins_at_base(environments[other]->decisions.front()) ||
        !makes_the_same(*environments[other], build, 0))
      continue;
    std::size_t last = 0;
    for (std::size_t s = 1; s < build.plan.stages.size(); ++s)
      if (build.plan.stages[s].parent == last && makes_the_same(*environments[other], build, s)) last = s;
    return SharedStages{.environment = other, .stage = last};
  }
  return std::nullopt;
}

Estimate estimate_of(const EstimateBasis& basis, const DecidedEnvironments& environments) {
  Estimate estimate;
  std::vector<std::vector<std::optional<std::size_t>>> places;  // in the estimate, per build and stage
  for (std::size_t b = 0; b < environments.size(); ++b) {
    const DecidedEnvironment& build = *environments[b];
    std::vector<StageEstimate> stages = stage_estimates(build.plan, build.decisions, build.restore);
    std::optional<SharedStages> shared = shared_stages(environments, b);
    std::vector<std::size_t> theirs = shared ? build.plan.chain(shared->stage) : std::vector<std::size_t>();
    std::shared_ptr<const DependencyGraph> graph =
        basis.graphs.of(build.plan.environment, build.plan.configured);
    places.emplace_back(stages.size());
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (stages[s].action == StageEstimate::Action::NotWanted) continue;
      SimulatedStage simulated{.environment = b, .is_first = build.is_first};
      if (std::optional<std::size_t> parent = build.plan.stages[s].parent)
        simulated.after = places[b][*parent];
      else if (shared)
        simulated.after = places[shared->environment][shared->stage];
      if (std::find(theirs.begin(), theirs.end(), s) != theirs.end()) {
        stages[s] = {.action = StageEstimate::Action::Reused};
      } else {
        if (is_on_a_host(build.decisions[s])) {
          stages[s].fetch_seconds = 0;
          stages[s].fetch_bytes = 0;
        }
        fill_in(simulated, *graph, stages[s]);
        simulated.memory = predicted_memory(basis, build.plan, s);
        if (basis.hosts.size() > 1) fill_in_transfers(simulated, basis, build, s);
      }
      places[b][s] = estimate.stages.size();
      estimate.simulated.push_back(std::move(simulated));
      estimate.stages.push_back({.environment = b, .stage = s, .estimate = std::move(stages[s])});
    }
  }
  return estimate;
}

std::vector<SimulatedStage> stages_after(const EstimateBasis& basis, const DecidedEnvironment& build,
                                         std::size_t configuring, const ConfiguredPackages& configured) {
  StagePlan exact = build.plan;
  set_packages_exactly(exact, basis.graphs, configured);
  std::shared_ptr<const DependencyGraph> graph = basis.graphs.of(build.plan.environment, configured);
  std::vector<StageEstimate> stages = stage_estimates(exact, build.decisions, build.restore);
  std::vector<SimulatedStage> after(stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    std::vector<std::size_t> chain = exact.chain(s);
    bool comes_later = s != configuring && std::find(chain.begin(), chain.end(), configuring) != chain.end();
    if (comes_later && stages[s].action == StageEstimate::Action::Built) fill_in(after[s], *graph, stages[s]);
  }
  return after;
}

EstimateSums sums_of(const EstimateBasis& basis, const Estimate& estimate,
                     const DecidedEnvironments& environments) {
  EstimateSums sums{.environments = environments.size()};
  for (const EstimatedStage& stage : estimate.stages) {
    const StageEstimate& stage_estimate = stage.estimate;
    bool decided = environments[stage.environment]->decisions[stage.stage].action == Action::Build;
    if (stage_estimate.action == StageEstimate::Action::Built)
      ++sums.built;
    else
      ++(decided ? sums.shared : sums.reused);
    sums.packages += stage_estimate.packages.size();
    add_guess_of_stage(sums, basis, *environments[stage.environment], stage);
    for (std::size_t i = 0; i < stage_estimate.packages.size(); ++i) {
      PackageId id = stage_estimate.packages[i];
      PackageTime time = basis.predictions.package(environments[stage.environment]->plan.environment.name,
                                                   basis.packages()[id].name);
      bool is_known = environments[stage.environment]->restore.costs.given.contains(id) ||
                      time.from == PackageTime::From::Environment ||
                      time.from == PackageTime::From::OtherEnvironments;
      if (is_known) continue;
      ++sums.guessed;
      sums.guessed_seconds += stage_estimate.package_seconds[i];
    }
    sums.fetches += stage_estimate.fetch_seconds > 0 ? 1 : 0;
    sums.fetch_bytes += stage_estimate.fetch_bytes;
    sums.processor_seconds += stage_estimate.processor_seconds();
    if (!stage_estimate.packages.empty() && !environments[stage.environment]->plan.is_exact())
      sums.is_exact = false;
  }
  return sums;
}

std::string estimate_text(const EstimateSums& sums, double seconds) {
  std::string text = counted(sums.environments, "environment") + ": ";
  std::vector<std::string> parts;
  if (sums.reused > 0) parts.push_back(counted(sums.reused, "stage") + " reused");
  if (sums.shared > 0) parts.push_back(counted(sums.shared, "stage") + " shared");
  if (sums.fetches > 0)
    parts.push_back(
        fmt::format("{} to fetch, {}", counted(sums.fetches, "image"), size_text(sums.fetch_bytes)));
  if (sums.built == 0) return text + join(parts, ", ") + "; nothing to build";
  parts.push_back(
      fmt::format("{} to build", parts.empty() ? counted(sums.built, "stage") : std::to_string(sums.built)));
  if (sums.packages > 0)
    parts.push_back((sums.is_exact ? "" : "at most ") + counted(sums.packages, "package"));
  return text + join(parts, ", ") +
         fmt::format("; about {} of processor time, done in {}{}", duration_text(sums.processor_seconds),
                     duration_text(seconds),
                     sums.guessed > 0
                         ? fmt::format(" ({} never built yet: guessed)", counted(sums.guessed, "package"))
                         : "");
}

std::string prediction_text(const EstimateSums& sums, double seconds) {
  if (sums.built == 0 && sums.fetches == 0) return {};
  std::string text = (sums.is_exact ? "" : "at most ") + duration_text(seconds);
  std::string work = duration_text(sums.processor_seconds) + " of processor time";
  std::vector<std::string> never;
  if (sums.guessed > 0) never.push_back(counted(sums.guessed, "package"));
  if (sums.guessed_stages > 0) never.push_back(counted(sums.guessed_stages, "stage"));
  if (never.empty()) return text + fmt::format("; {}, all measured", work);
  return text + fmt::format("; of {}, {} are guesses ({} {} never measured)", work,
                            duration_text(sums.guessed_seconds), join(never, " and "),
                            sums.guessed + sums.guessed_stages == 1 ? "was" : "were");
}

}  // namespace stagemake
