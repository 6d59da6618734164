#include "cli/commands/simulate_command.h"

// `stagemake simulate`: predicts how long a build would take, here or on other machines.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/options/slot_choice.h"
#include "cli/session.h"
#include "cli/times.h"
#include "schedule/estimate.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostNamed = 5;               // environments per line
constexpr unsigned kFurtherMachines[] = {2, 4, 8};  // shown in the table if no number is given

// One "PACKAGE SECONDS" per line; `#` begins a comment.
std::map<std::string, double> read_durations(const fs::path& file) {
  std::optional<std::string> text = read_file(file);
  if (!text) throw bad_input(file.string(), "does not exist");
  std::map<std::string, double> durations;
  Faults faults;
  std::size_t number = 0;
  for (std::string_view line : lines(*text)) {
    ++number;
    std::string said(line.substr(0, line.find('#')));
    std::vector<std::string_view> parts = words(said);
    if (parts.empty()) continue;
    double seconds = -1;
    bool whole = false;
    if (parts.size() == 2) {
      const char* end = parts[1].data() + parts[1].size();
      whole = std::from_chars(parts[1].data(), end, seconds).ptr == end;
    }
    if (!whole || !(seconds >= 0) || !std::isfinite(seconds))
      faults.add(fmt::format("{}:{}", file.string(), number),
                 fmt::format("is not `PACKAGE SECONDS`: {}", shown(trimmed(line))));
    else
      durations[std::string(parts[0])] = seconds;
  }
  faults.throw_if_any();
  return durations;
}

void give_durations(Session& session, const std::map<std::string, double>& durations) {
  for (const auto& [name, seconds] : durations)
    if (!session.tree.packages.find(name))
      throw bad_input("--durations", fmt::format("{} is not a package of this tree", shown(name)));
  for (EnvironmentBuild& build : session.builds)
    for (const auto& [name, seconds] : durations) {
      PackageId id = *session.tree.packages.find(name);
      build.restore.costs.package_seconds[id] = seconds;
      build.restore.costs.given.insert(id);
    }
}

// Where the durations of packages come from, most frequent source first.
std::string origin_text(const Session& session, const Estimate& estimate) {
  std::size_t counts[5] = {};
  for (const EstimatedStage& stage : estimate.stages)
    for (PackageId id : stage.estimate.packages) {
      const EnvironmentBuild& build = session.builds[stage.environment];
      PackageTime time =
          session.world.predictions.package(build.plan.environment.name, session.tree.packages[id].name);
      ++counts[build.restore.costs.given.contains(id) ? 4 : static_cast<std::size_t>(time.from)];
    }
  const char* texts[] = {"measured there", "measured on other systems", "guessed from other packages",
                         "assumed as 60 s each", "given"};
  std::vector<std::string> parts;
  for (std::size_t i : {4u, 0u, 1u, 2u, 3u})
    if (counts[i] > 0) parts.push_back(fmt::format("{} {}", counts[i], texts[i]));
  return join(parts, ", ");
}

// The end of each environment's last stage, in seconds from the start.
std::vector<double> ends_of_builds(const Session& session, const Estimate& estimate,
                                   const Simulated& simulated) {
  std::vector<double> ends(session.builds.size());
  for (std::size_t i = 0; i < estimate.stages.size(); ++i)
    ends[estimate.stages[i].environment] = std::max(ends[estimate.stages[i].environment], simulated.ends[i]);
  return ends;
}

struct Row {
  unsigned machines;
  Simulated simulated;
  std::vector<std::string> late;  // environments that miss the deadline
};

// What each host is used for, one per line.
void print_hosts(const Session& session) {
  for (std::size_t h = 0; h < session.limits.size(); ++h) {
    const SimulatedMachine& host = session.limits[h];
    show("host {}: {}, {} at once{}{}\n", session.hosts[h].host.name, counted(host.slots, "job slot"),
         counted(host.at_once, "stage"),
         host.memory > 0 ? fmt::format(", in at most {} of memory", size_text(host.memory)) : "",
         session.hosts[h].problem.empty() ? "" : "; it does not work now: " + session.hosts[h].problem);
  }
}

void print_table(const std::vector<Row>& rows, bool has_deadline) {
  show("{:>8}  {:>14}  {:>14}  {:<13}  {:>10}{}\n", "machines", "done in", "at least", "limited by",
       "efficiency", has_deadline ? "  late" : "");
  for (const Row& row : rows) {
    const Simulated& one = row.simulated;
    show("{:>8}  {:>14}  {:>14}  {:<13}  {:>8.0f} %{}\n", row.machines, duration_text(one.makespan),
         duration_text(one.lower_bound()),
         one.longest_path >= one.work / one.slots ? "critical path" : "work", 100 * one.efficiency(),
         has_deadline ? fmt::format("  {:>4}", row.late.size()) : "");
  }
}

void print_limits(const SimulatedMachine& machine) {
  show("each with {} and {} at once{}\n", counted(machine.slots, "job slot"),
       counted(machine.at_once, "stage"),
       machine.memory > 0 ? fmt::format(", in at most {} of memory", size_text(machine.memory)) : "");
}

ordered_json row_json(const Row& row) {
  const Simulated& one = row.simulated;
  return {{"machines", row.machines},         {"slots", one.slots},
          {"seconds", one.makespan},          {"lower_bound", one.lower_bound()},
          {"longest_path", one.longest_path}, {"work", one.work},
          {"efficiency", one.efficiency()},   {"late", row.late}};
}

}  // namespace

int simulate_command(const Options& options) {
  std::map<std::string, double> durations;
  if (options.durations) durations = read_durations(*options.durations);
  Session session(options);
  session.look(options);
  give_durations(session, durations);
  Estimate estimate = estimate_of(estimate_basis(session.world), decided(session.builds));
  unsigned slots =
      slots_of_a_build(options, session.environments, jobserver_words(callers_variable("MAKEFLAGS")));
  SimulatedMachine machine{
      .slots = slots, .at_once = stages_at_once(options, slots), .memory = memory_for_stages(options)};
  double limit =
      options.deadline ? *options.deadline - seconds_now() : std::numeric_limits<double>::infinity();
  if (options.machines && !session.limits.empty())
    throw bad_input("--machines", "counts machines like this one; with --hosts, the hosts are simulated");
  std::vector<unsigned> counts{options.machines.value_or(1)};
  if (!session.limits.empty())
    counts = {static_cast<unsigned>(session.limits.size())};
  else if (!options.machines)
    for (unsigned count : kFurtherMachines)
      if (count <= session.builds.size()) counts.push_back(count);
  std::vector<Row> rows;
  for (unsigned count : counts) {
    std::vector<SimulatedMachine> machines = session.limits;
    machines.resize(count, machine);
    Row row{.machines = count, .simulated = simulate(estimate.simulated, machines), .late = {}};
    std::vector<double> ends = ends_of_builds(session, estimate, row.simulated);
    for (std::size_t b = 0; b < ends.size(); ++b)
      if (ends[b] > limit) row.late.push_back(session.builds[b].plan.environment.name);
    rows.push_back(std::move(row));
  }
  if (options.json) {
    ordered_json all = ordered_json::array();
    for (const Row& row : rows) all.push_back(row_json(row));
    ordered_json environments = ordered_json::array();
    std::vector<double> ends = ends_of_builds(session, estimate, rows.front().simulated);
    for (std::size_t b = 0; b < ends.size(); ++b)
      environments.push_back({{"name", session.builds[b].plan.environment.name}, {"ends", ends[b]}});
    fmt::print(
        "{}\n",
        ordered_json{
            {"schema", 1}, {"memory", machine.memory}, {"machines", all}, {"environments", environments}}
            .dump(2));
    return 0;
  }
  for (const std::string& problem : session.problems) show("note: {}\n", problem);
  show("{}\n", estimate_text(sums_of(estimate_basis(session.world), estimate, decided(session.builds)),
                             rows.front().simulated.makespan));
  if (std::string origin = origin_text(session, estimate); !origin.empty())
    show("seconds of packages: {}\n", origin);
  print_table(rows, options.deadline.has_value());
  session.limits.empty() ? print_limits(machine) : print_hosts(session);
  if (!rows.front().late.empty())
    show("not done by the deadline: {}\n", some_of(rows.front().late, listing_of(options), kMostNamed));
  return 0;
}

}  // namespace stagemake
