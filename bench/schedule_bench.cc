// How good the starting order of stages is: simulated builds of many systems, compared with the lower bound
// and with other orders. Also measures the cost of the decisions.
//
// Three sets of packages on each of that many systems, from a tree's real metadata. Nobody has measured the
// durations of all packages on all systems, so a model gives them, the same one for all orders:
//   - a package takes one job slot for exp(3 + 1.2 z) seconds (median 20 s, mean 41 s); z is normal and
//     derived from its name. Packages measured in Sage 9.8 have their measured durations: gf2x 181, pari 177,
//     ntl 145, ncurses 117, gmp 108 seconds;
//   - a factor from 0.7 to 1.5, derived from a system's number, makes the whole system slower or faster;
//   - for the set `minimal`, the system provides no packages; for `standard`, those with a list of
//     system packages and a test for them; for `maximal` the same, and system packages take twice as long to
//     install;
//   - system packages take 60 seconds, bootstrap 33, configure 16, and a commit 5 per stage.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <random>
#include <set>

#include "base/error.h"
#include "base/text/digest.h"
#include "plan/dependency_graph.h"
#include "schedule/simulation.h"
#include "tree/stage_table.h"

namespace stagemake {
namespace {

constexpr double kCommit = 5;
const std::map<std::string, double> kMeasured = {
    {"gf2x", 181}, {"pari", 177}, {"ntl", 145}, {"ncurses", 117}, {"gmp", 108}};

std::mt19937_64 seeded(const std::string& text) {
  return std::mt19937_64(std::stoull(sha256_hex(text).substr(0, 15), nullptr, 16));
}

double package_seconds(const std::string& name) {
  if (auto found = kMeasured.find(name); found != kMeasured.end()) return found->second;
  std::mt19937_64 random = seeded(name);
  return std::exp(3 + 1.2 * std::normal_distribution<double>()(random));
}

double system_factor(std::size_t system) {
  std::mt19937_64 random = seeded("system " + std::to_string(system));
  return std::uniform_real_distribution<double>(0.7, 1.5)(random);
}

// The make targets of a stage of the built-in table, with the default values of variables.
std::vector<std::string> targets_of(const StageSpec& stage) {
  if (stage.name == "with-targets-pre") return {"all-sage-local"};
  if (stage.name == "with-targets") return {"build"};
  std::vector<std::string> targets;
  for (const std::string& target : stage.make_targets)
    if (!target.starts_with('$')) targets.push_back(target);
  return targets;
}

class Distribution {
 public:
  explicit Distribution(const fs::path& tree)
      : packages_(PackageIndex::read(tree)), variables_(MakeVariables::read(tree, packages_.features())) {
    for (PackageId id = 0; id < packages_.size(); ++id)
      if (packages_.has_file(id, "distros/debian.txt") && packages_.has_file(id, "spkg-configure.m4"))
        on_system_.insert(packages_[id].name);
  }

  std::vector<SimulatedStage> stages(std::size_t systems) const {
    std::vector<SimulatedStage> all;
    for (std::size_t system = 0; system < systems; ++system)
      for (std::size_t set = 0; set < 3; ++set) add(all, system, set);
    return all;
  }

  std::size_t packages() const { return packages_.size(); }

 private:
  void add(std::vector<SimulatedStage>& all, std::size_t system, std::size_t set) const {
    GraphOptions options;
    if (set > 0) options.dummies = on_system_;
    DependencyGraph graph(packages_, variables_, options);
    double factor = system_factor(system);
    std::set<PackageId> built;
    std::optional<std::size_t> before;
    for (const StageSpec& spec : built_in_stages(packages_.features()).stages) {
      if (spec.name == "with-targets-optional") continue;
      double beside = spec.parent.empty()           ? (set == 2 ? 120 : 60)
                      : spec.name == "bootstrapped" ? 33
                      : spec.configures             ? 16
                                                    : 0;
      SimulatedStage stage{
          .environment = system * 3 + set, .after = before, .alone_seconds = factor * beside + kCommit};
      std::map<PackageId, std::size_t> positions;
      for (PackageId id : graph.build_order(targets_of(spec))) {
        if (!built.insert(id).second) continue;
        SimulatedPackage package{.seconds = factor * package_seconds(packages_[id].name)};
        for (auto needed : {graph.normal_dependencies(id), graph.order_only_dependencies(id)})
          for (PackageId one : needed)
            if (auto found = positions.find(one); found != positions.end())
              package.needs.push_back(found->second);
        positions[id] = stage.packages.size();
        stage.packages.push_back(std::move(package));
      }
      before = all.size();
      all.push_back(std::move(stage));
    }
  }

  PackageIndex packages_;
  MakeVariables variables_;
  std::set<std::string> on_system_;
};

// Today's CI: a stage starts on any system only after the previous stage has ended on all systems.
double chained(const std::vector<SimulatedStage>& stages, const std::vector<SimulatedMachine>& machines) {
  std::vector<std::size_t> levels(stages.size());
  std::size_t last = 0;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    levels[s] = stages[s].after ? levels[*stages[s].after] + 1 : 0;
    last = std::max(last, levels[s]);
  }
  double seconds = 0;
  for (std::size_t level = 0; level <= last; ++level) {
    std::vector<SimulatedStage> these;
    for (std::size_t s = 0; s < stages.size(); ++s)
      if (levels[s] == level) these.push_back(stages[s]), these.back().after.reset();
    seconds += simulate(these, machines).makespan;
  }
  return seconds;
}

void bench_orders(const fs::path& tree, std::size_t systems) {
  Distribution distribution(tree);
  std::vector<SimulatedStage> stages = distribution.stages(systems);
  std::size_t built = 0;
  for (const SimulatedStage& stage : stages) built += stage.packages.size();
  fmt::print("{}: {} packages; {} systems, {} environments, {} stages, {} packages to build\n",
             tree.filename().string(), distribution.packages(), systems, 3 * systems, stages.size(), built);
  fmt::print("  {:>5} {:>12} {:>12} {:>12} {:>12} {:>12}   ratio to the lower bound\n", "slots",
             "lower bound", "bound by", "stagemake", "first come", "stage by st.");
  double worst = 1;
  for (unsigned slots : {2u, 4u, 8u, 16u, 32u, 64u}) {
    std::vector<SimulatedMachine> machines{{.slots = slots, .at_once = slots}};
    Simulated ours = simulate(stages, machines);
    double bound = ours.lower_bound();
    double first_come = simulate(stages, machines, SimulatedOrder::FirstCome).makespan;
    double chain = chained(stages, machines);
    fmt::print("  {:>5} {:>10.0f} s {:>12} {:>10.0f} s {:>10.0f} s {:>10.0f} s   {:.3f} {:.3f} {:.3f}\n",
               slots, bound, ours.longest_path >= ours.work / slots ? "path" : "work", ours.makespan,
               first_come, chain, ours.makespan / bound, first_come / bound, chain / bound);
    worst = std::max(worst, ours.makespan / bound);
  }
  fmt::print("  at most {:.3f} times the lower bound (aim 1.05: {})\n", worst,
             worst <= 1.05 ? "held" : "missed");
  // As in today's CI: for each environment a machine with two slots, which waits for all others after each
  // stage.
  std::vector<SimulatedMachine> runners(3 * systems, {.slots = 2, .at_once = 1});
  double apart = simulate(stages, runners).makespan;
  double together = chained(stages, runners);
  fmt::print(
      "  a machine of 2 slots for each environment: {:.0f} s; with a wait for all after each stage {:.0f} s "
      "({:.2f})\n",
      apart, together, together / apart);
}

// 10,000 stages through the Dispatcher alone, 64 at once.
void bench_deciding() {
  constexpr std::size_t kStagesOfAll = 10'000;
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < kStagesOfAll; ++i)
    tasks.push_back({.after = i % 7 == 0 ? std::nullopt : std::optional(i - 1),
                     .seconds = package_seconds(std::to_string(i))});
  auto began = std::chrono::steady_clock::now();
  Dispatcher dispatcher(tasks, {{.at_once = 64}});
  for (std::size_t i = 0; i < tasks.size(); i += 7) dispatcher.add_ready(i);
  std::vector<std::size_t> running;
  for (std::size_t ended = 0; ended < tasks.size(); ++ended) {
    while (std::optional<Dispatcher::Start> next = dispatcher.next()) running.push_back(next->task);
    std::size_t one = running.front();
    running.erase(running.begin());
    dispatcher.end(one);
    if (one + 1 < tasks.size() && tasks[one + 1].after) dispatcher.add_ready(one + 1);
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  fmt::print("deciding what begins next, {} stages: {:.4f} ms a stage (aim 1 ms)\n", tasks.size(),
             1000 * seconds / static_cast<double>(tasks.size()));
}

}  // namespace
}  // namespace stagemake

int main(int argc, char** argv) {
  CLI::App app("Simulated builds of many systems: makespan against the lower bound and other orders.");
  std::vector<std::string> trees;
  std::size_t systems = 45;
  app.add_option("TREE", trees, "distributions")->required();
  app.add_option("--systems", systems, "how many");
  CLI11_PARSE(app, argc, argv);
  try {
    for (const std::string& tree : trees) stagemake::bench_orders(tree, systems);
    stagemake::bench_deciding();
  } catch (const stagemake::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
