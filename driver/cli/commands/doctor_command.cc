#include "cli/commands/doctor_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/session.h"
#include "run/images/base_image_advice.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

// A base image, and what a build would find of it.
struct WantedBase {
  std::string name;
  std::vector<std::string> environments;
  bool is_here = false;      // in the engine
  std::string absence = {};  // why no registry offers it; meaningless if it is here

  bool is_missing() const { return !is_here && !absence.empty(); }
};

bool names_environments(const Options& options) {
  const EnvironmentChoice& choice = options.choice;
  return !options.environments.empty() || !choice.systems.empty() || !choice.package_sets.empty() ||
         choice.all;
}

// The base images of the environments, each once.
std::vector<WantedBase> wanted_bases(const Options& options, const Tree& tree) {
  EnvironmentReader reader = environment_reader(
      tree, [&] { return tree_revision(tree.path).name; }, MayRun::Nothing);
  std::vector<WantedBase> bases;
  for (const Environment& environment : resolve_environments(options, tree, reader)) {
    auto found = std::find_if(bases.begin(), bases.end(),
                              [&](const WantedBase& base) { return base.name == environment.base_image; });
    if (found == bases.end()) found = bases.insert(bases.end(), {.name = environment.base_image});
    found->environments.push_back(environment.name);
  }
  return bases;
}

void look_for(std::vector<WantedBase>& bases, ContainerEngine* engine, const Options& options) {
  std::vector<std::string> elsewhere;
  for (WantedBase& base : bases) {
    base.is_here = engine != nullptr && engine->find_image(base.name);
    if (!base.is_here) elsewhere.push_back(base.name);
  }
  if (elsewhere.empty()) return;
  std::map<std::string, std::string> absences = Registry(registry_options(options)).absences(elsewhere);
  for (WantedBase& base : bases) base.absence = absences[base.name];
}

// The engine that would build; null if none works.
std::unique_ptr<ContainerEngine> engine_of(const Options& options, const Tree& tree) {
  try {
    return choose_engine(options, StateFolder(options.state, tree.path));
  } catch (const EngineError&) {
    return nullptr;
  }
}

void print_engines(const std::vector<EngineReport>& reports, bool any) {
  for (const EngineReport& report : reports) {
    show("{:<8} {}\n", report.name,
         report.usable ? "works, " + printable(report.version)
                       : "does not work: " + printable(report.problem));
    const std::string& more = report.usable ? report.warning : report.advice;
    if (!more.empty()) show("{:<8} {}\n", "", printable(more));
  }
  if (!any) show("No engine works here. One is enough.\n");
}

void print_bases(const std::vector<WantedBase>& bases, const std::string& engine, const Listing& listing) {
  constexpr std::size_t kMostNamed = 3;
  std::size_t width = 0;
  for (const WantedBase& base : bases) width = std::max(width, printable(base.name).size());
  show("\nbase images{}:\n", engine.empty() ? "" : " for " + engine);
  for (const WantedBase& base : bases)
    show("  {:<{}}  {}, for {}\n", printable(base.name), width,
         base.is_here           ? "is on this machine"
         : base.absence.empty() ? "is in its registry: a build pulls it"
                                : "is not on this machine: " + base.absence,
         some_of(base.environments, listing, kMostNamed));
  auto missing =
      std::find_if(bases.begin(), bases.end(), [](const WantedBase& base) { return base.is_missing(); });
  if (missing != bases.end()) show("{}\n", base_image_advice(engine, missing->name));
}

ordered_json report_json(const std::vector<EngineReport>& reports) {
  ordered_json list = ordered_json::array();
  for (const EngineReport& report : reports)
    list.push_back({{"name", report.name},
                    {"usable", report.usable},
                    {"version", report.version},
                    {"problem", report.problem},
                    {"advice", report.advice},
                    {"warning", report.warning}});
  return {{"schema", 1}, {"engines", list}};
}

ordered_json bases_json(const std::vector<WantedBase>& bases) {
  ordered_json list = ordered_json::array();
  for (const WantedBase& base : bases)
    list.push_back({{"name", base.name},
                    {"environments", base.environments},
                    {"here", base.is_here},
                    {"in_registry", base.is_here ? ordered_json() : ordered_json(base.absence.empty())},
                    {"problem", base.is_missing() ? base.absence : ""}});
  return list;
}

}  // namespace

int doctor_command(const Options& options) {
  std::vector<WantedBase> bases;
  std::string engine;
  std::vector<EngineReport> reports = examine_engines();
  bool is_well =
      std::any_of(reports.begin(), reports.end(), [](const EngineReport& report) { return report.usable; });
  if (!options.json) print_engines(reports, is_well);
  if (names_environments(options)) {
    Tree tree = open_tree(options, TreeCheck::Names);
    bases = wanted_bases(options, tree);
    std::unique_ptr<ContainerEngine> builds = engine_of(options, tree);
    if (builds) engine = builds->name();
    look_for(bases, builds.get(), options);
    is_well = is_well && std::none_of(bases.begin(), bases.end(),
                                      [](const WantedBase& base) { return base.is_missing(); });
    if (!options.json) print_bases(bases, engine, listing_of(options));
  }
  if (options.json) {
    ordered_json report = report_json(reports);
    if (names_environments(options)) report["base_images"] = bases_json(bases);
    fmt::print("{}\n", report.dump(2, ' ', true, ordered_json::error_handler_t::replace));
  }
  return static_cast<int>(is_well ? ExitStatus::Ok : ExitStatus::EngineUnusable);
}

}  // namespace stagemake
