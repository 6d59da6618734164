#include "run/outlook.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace stagemake {
namespace {

using Action = StageDecision::Action;

// Over what a stage was seen to hold: it was looked at now and then only.
constexpr double kMemoryMargin = 1.2;

// What of its stage's packages each of them needs, by position.
std::vector<SimulatedPackage> simulated_packages(const DependencyGraph& graph, const StageForecast& stage) {
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

void fill_in(SimulatedStage& simulated, const DependencyGraph& graph, const StageForecast& stage) {
  simulated.waiting_seconds = stage.fetch_seconds;
  simulated.alone_seconds = stage.beside_seconds;
  simulated.packages = simulated_packages(graph, stage);
}

bool begins_at_base(const StageDecision& decision) {
  return decision.action == Action::Build && decision.start && decision.start->snapshot == nullptr;
}

// Whether `other` makes the stage that `build` has at the same place.
bool makes_the_same(const EnvironmentBuild& other, const EnvironmentBuild& build, std::size_t stage) {
  return stage < other.plan.stages.size() && other.plan.stages[stage].key == build.plan.stages[stage].key &&
         other.plan.stages[stage].name == build.plan.stages[stage].name &&
         other.decisions[stage].action == Action::Build && other.decisions[stage].commit &&
         build.decisions[stage].action == Action::Build;
}

// Bytes; 0 where nothing is known.
std::uint64_t predicted_memory(const BuildWorld& world, const StagePlan& plan, std::size_t stage) {
  std::uint64_t most =
      world.predictions.stage_memory(plan.environment.name, plan.stages[stage].name).value_or(0);
  return static_cast<std::uint64_t>(kMemoryMargin * static_cast<double>(most));
}

}  // namespace

std::optional<SharedStages> shared_stages(const std::vector<EnvironmentBuild>& builds, std::size_t b) {
  const EnvironmentBuild& build = builds[b];
  if (build.decisions.empty() || !begins_at_base(build.decisions.front()) || build.restore.only != nullptr)
    return std::nullopt;
  for (std::size_t other = 0; other < b; ++other) {
    if (builds[other].base_image != build.base_image || !begins_at_base(builds[other].decisions.front()) ||
        !makes_the_same(builds[other], build, 0))
      continue;
    std::size_t last = 0;
    for (std::size_t s = 1; s < build.plan.stages.size(); ++s)
      if (build.plan.stages[s].parent == last && makes_the_same(builds[other], build, s)) last = s;
    return SharedStages{.build = other, .stage = last};
  }
  return std::nullopt;
}

Outlook outlook_of(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds) {
  Outlook outlook;
  std::vector<std::vector<std::optional<std::size_t>>> places;  // in the outlook, of each build's stages
  std::vector<std::size_t> groups;                              // builds that share stages are on one machine
  for (std::size_t b = 0; b < builds.size(); ++b) {
    const EnvironmentBuild& build = builds[b];
    std::vector<StageForecast> stages = forecast(build.plan, build.decisions, build.restore);
    std::optional<SharedStages> shared = shared_stages(builds, b);
    std::vector<std::size_t> theirs = shared ? build.plan.chain(shared->stage) : std::vector<std::size_t>();
    groups.push_back(shared ? groups[shared->build] : b);
    DependencyGraph graph = graph_of(world, build.plan.environment, build.plan.configured);
    places.emplace_back(stages.size());
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (stages[s].action == StageForecast::Action::NotWanted) continue;
      SimulatedStage simulated{.environment = groups[b], .is_first = build.is_first};
      if (std::optional<std::size_t> parent = build.plan.stages[s].parent)
        simulated.after = places[b][*parent];
      else if (shared)
        simulated.after = places[shared->build][shared->stage];
      if (std::find(theirs.begin(), theirs.end(), s) != theirs.end()) {
        stages[s] = {.action = StageForecast::Action::Reused};
      } else {
        fill_in(simulated, graph, stages[s]);
        simulated.memory = predicted_memory(world, build.plan, s);
      }
      places[b][s] = outlook.stages.size();
      outlook.simulated.push_back(std::move(simulated));
      outlook.stages.push_back({.build = b, .stage = s, .forecast = std::move(stages[s])});
    }
  }
  return outlook;
}

std::vector<SimulatedStage> stages_after(const BuildWorld& world, const EnvironmentBuild& build,
                                         std::size_t configuring, const ConfiguredPackages& configured) {
  StagePlan exact = build.plan;
  DependencyGraph graph = graph_of(world, build.plan.environment, configured);
  set_packages_exactly(exact, graph, configured);
  std::vector<StageForecast> stages = forecast(exact, build.decisions, build.restore);
  std::vector<SimulatedStage> after(stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    std::vector<std::size_t> chain = exact.chain(s);
    bool comes_later = s != configuring && std::find(chain.begin(), chain.end(), configuring) != chain.end();
    if (comes_later && stages[s].action == StageForecast::Action::Built) fill_in(after[s], graph, stages[s]);
  }
  return after;
}

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

OutlookSums sums_of(const BuildWorld& world, const Outlook& outlook,
                    const std::vector<EnvironmentBuild>& builds) {
  OutlookSums sums{.environments = builds.size()};
  for (const OutlookStage& stage : outlook.stages) {
    const StageForecast& forecast = stage.forecast;
    bool decided = builds[stage.build].decisions[stage.stage].action == Action::Build;
    if (forecast.action == StageForecast::Action::Built)
      ++sums.built;
    else
      ++(decided ? sums.shared : sums.reused);
    sums.packages += forecast.packages.size();
    for (PackageId id : forecast.packages) {
      PackageTime time =
          world.predictions.package(builds[stage.build].plan.environment.name, world.packages[id].name);
      bool is_known = builds[stage.build].restore.costs.given.contains(id) ||
                      time.from == PackageTime::From::Environment ||
                      time.from == PackageTime::From::OtherEnvironments;
      sums.guessed += is_known ? 0 : 1;
    }
    sums.fetches += forecast.fetch_seconds > 0 ? 1 : 0;
    sums.fetch_bytes += forecast.fetch_bytes;
    sums.processor_seconds += forecast.processor_seconds();
    if (!forecast.packages.empty() && !builds[stage.build].plan.is_exact()) sums.is_exact = false;
  }
  return sums;
}

std::string outlook_text(const OutlookSums& sums, double seconds) {
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

}  // namespace stagemake
