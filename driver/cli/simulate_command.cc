// `stagemake simulate`: what a build would take, here or on other machines, before anybody waits for it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/callers_environment.h"
#include "base/error.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/slot_choice.h"
#include "cli/times.h"
#include "run/outlook.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostNamed = 5;  // environments in a line
constexpr unsigned kFurtherMachines[] = {2, 4,
                                         8};  // that the table shows where nobody says how many there are

// "PACKAGE SECONDS" a line; `#` begins a comment.
std::map<std::string, double> read_durations(const fs::path& file) {
  std::optional<std::string> text = read_file(file);
  if (!text) throw bad_input(file.string(), "is not there");
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
      throw bad_input("--durations", fmt::format("{} is no package of this tree", shown(name)));
  for (EnvironmentBuild& build : session.builds)
    for (const auto& [name, seconds] : durations) {
      PackageId id = *session.tree.packages.find(name);
      build.restore.costs.package_seconds[id] = seconds;
      build.restore.costs.given.insert(id);
    }
}

// Where the seconds of the packages come from, most often first.
std::string origin_text(const Session& session, const Outlook& outlook) {
  std::size_t counts[5] = {};
  for (const OutlookStage& stage : outlook.stages)
    for (PackageId id : stage.forecast.packages) {
      const EnvironmentBuild& build = session.builds[stage.build];
      PackageTime time =
          session.world.predictions.package(build.plan.environment.name, session.tree.packages[id].name);
      ++counts[build.restore.costs.given.contains(id) ? 4 : static_cast<std::size_t>(time.from)];
    }
  const char* texts[] = {"learned there", "learned on other systems", "guessed from other packages",
                         "guessed as 60 s each", "given"};
  std::vector<std::string> parts;
  for (std::size_t i : {4u, 0u, 1u, 2u, 3u})
    if (counts[i] > 0) parts.push_back(fmt::format("{} {}", counts[i], texts[i]));
  return join(parts, ", ");
}

// When the last stage of each environment ends, in seconds from the start.
std::vector<double> ends_of_builds(const Session& session, const Outlook& outlook,
                                   const Simulated& simulated) {
  std::vector<double> ends(session.builds.size());
  for (std::size_t i = 0; i < outlook.stages.size(); ++i)
    ends[outlook.stages[i].build] = std::max(ends[outlook.stages[i].build], simulated.ends[i]);
  return ends;
}

struct Row {
  unsigned machines;
  Simulated simulated;
  std::vector<std::string> late;  // environments that are not done by the deadline
};

void print_table(const std::vector<Row>& rows, const SimulatedMachines& machines, bool has_deadline) {
  show("{:>8}  {:>14}  {:>14}  {:<12}  {:>10}{}\n", "machines", "done in", "at best", "because of",
       "efficiency", has_deadline ? "  late" : "");
  for (const Row& row : rows) {
    const Simulated& one = row.simulated;
    show("{:>8}  {:>14}  {:>14}  {:<12}  {:>8.0f} %{}\n", row.machines, duration_text(one.makespan),
         duration_text(one.lower_bound()), one.longest_path >= one.work / one.slots ? "longest path" : "work",
         100 * one.efficiency(), has_deadline ? fmt::format("  {:>4}", row.late.size()) : "");
  }
  show("each with {} and {} at once{}\n", counted(machines.slots, "job slot"),
       counted(machines.at_once, "stage"),
       machines.memory > 0 ? fmt::format(", which may hold {}", size_text(machines.memory)) : "");
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
  Outlook outlook = outlook_of(session.world, session.builds);
  unsigned slots =
      slots_of_a_build(options, session.environments, jobserver_words(callers_variable("MAKEFLAGS")));
  SimulatedMachines machines{
      .slots = slots, .at_once = stages_at_once(options, slots), .memory = memory_for_stages(options)};
  double limit =
      options.deadline ? *options.deadline - seconds_now() : std::numeric_limits<double>::infinity();
  std::vector<unsigned> counts{options.machines.value_or(1)};
  if (!options.machines)
    for (unsigned count : kFurtherMachines)
      if (count <= session.builds.size()) counts.push_back(count);
  std::vector<Row> rows;
  for (unsigned count : counts) {
    machines.machines = count;
    Row row{.machines = count, .simulated = simulate(outlook.simulated, machines), .late = {}};
    std::vector<double> ends = ends_of_builds(session, outlook, row.simulated);
    for (std::size_t b = 0; b < ends.size(); ++b)
      if (ends[b] > limit) row.late.push_back(session.builds[b].plan.environment.name);
    rows.push_back(std::move(row));
  }
  if (options.json) {
    ordered_json all = ordered_json::array();
    for (const Row& row : rows) all.push_back(row_json(row));
    ordered_json environments = ordered_json::array();
    std::vector<double> ends = ends_of_builds(session, outlook, rows.front().simulated);
    for (std::size_t b = 0; b < ends.size(); ++b)
      environments.push_back({{"name", session.builds[b].plan.environment.name}, {"ends", ends[b]}});
    fmt::print(
        "{}\n",
        ordered_json{
            {"schema", 1}, {"memory", machines.memory}, {"machines", all}, {"environments", environments}}
            .dump(2));
    return 0;
  }
  for (const std::string& problem : session.problems) show("note: {}\n", problem);
  show("{}\n",
       outlook_text(sums_of(session.world, outlook, session.builds), rows.front().simulated.makespan));
  if (std::string origin = origin_text(session, outlook); !origin.empty())
    show("seconds of packages: {}\n", origin);
  print_table(rows, machines, options.deadline.has_value());
  if (!rows.front().late.empty())
    show("not done by the deadline: {}\n", some_of(rows.front().late, kMostNamed));
  return 0;
}

}  // namespace stagemake
