#include "run/container/adoption.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <tuple>

#include "base/caught_error.h"
#include "base/files/tarball.h"
#include "base/process/machine.h"
#include "base/text/digest.h"
#include "base/text/image_name.h"
#include "base/text/text.h"
#include "engine/copied_files.h"
#include "plan/package_fingerprints.h"
#include "run/build/prepare.h"
#include "run/container/build_container.h"
#include "run/container/guard.h"
#include "run/container/holder.h"
#include "run/container/image_survey.h"
#include "run/control/stop_escalation.h"
#include "run/images/foreign_names.h"
#include "run/images/origins.h"
#include "snapshot/richer.h"

namespace stagemake {
namespace {

// How far the driver came in a container, from its record outside. Nothing if that is lost: the driver had
// another state folder at the same path, for example on another machine, or the folder was lost.
std::optional<RunningStage> begun_in(const StateFolder& state, const ContainerInfo& container) {
  auto token = container.labels.find(std::string(kTokenLabel));
  std::optional<std::string> text = state.running(container.name);
  if (!text || token == container.labels.end()) return std::nullopt;
  return parse_running(*text, container.name, token->second);
}

// Whether it is certain that no recipe has started in it.
bool is_unused(const std::optional<RunningStage>& begun) {
  return begun && begun->lineage.empty();
}

// The stage that it reached, if known; else the one that it was made for.
LineageEntry stage_reached(const StateFolder& state, const ContainerInfo& container,
                           const Snapshot& made_for) {
  std::optional<RunningStage> begun = begun_in(state, container);
  return begun && !begun->lineage.empty() ? begun->lineage.back() : made_for.lineage.back();
}

// The sources that a container was given, by a digest from outside, whatever it contains now.
std::optional<std::vector<SourceFile>> sources_of(const BuildWorld& world, const ContainerInfo& container,
                                                  const std::string& manifest) {
  if (std::optional<std::vector<SourceFile>> known = world.state.manifest(manifest)) return known;
  std::vector<TarEntry> entries =
      copied_entries(world.engine, container.name, std::string(kManifestPath), 256u << 20);
  bool is_that = entries.size() == 1 && sha256_hex(entries[0].content) == manifest;
  return is_that ? parse_manifest(entries[0].content) : std::nullopt;
}

// Describes a container of which only the original labels are known. Anything may have been copied and run
// since, even of later stages: nothing in it counts as finished, and nothing built on it as clean.
void describe_unknown(const BuildWorld& world, const ContainerInfo& container, Snapshot& snapshot) {
  snapshot.clean = false;
  snapshot.fresh_build.clear();
  snapshot.manifest.clear();
  snapshot.configured.reset();
  snapshot.packages =
      installed_packages(stamp_folders_of(world.engine, container.name, world.table), world.packages, {});
}

// Fills in what the labels could not say when the container was made: what was copied and built since.
// Inside, it reads only installation records and the guard's notes: they say which packages exist. What a
// package was built from follows from the record outside. Returns whether that record exists; without it,
// nothing in the container counts as finished.
bool complete_description(const BuildWorld& world, const Environment& environment,
                          const ContainerInfo& container, std::optional<RunningStage> begun,
                          Snapshot& snapshot) {
  if (snapshot.cpu.empty()) snapshot.cpu = cpu_features();  // its driver was on this machine
  std::optional<std::vector<SourceFile>> files;
  if (begun && !begun->manifest.empty()) files = sources_of(world, container, begun->manifest);
  if (!begun || (!files && !begun->manifest.empty())) {
    describe_unknown(world, container, snapshot);
    return false;
  }
  snapshot.lineage = std::move(begun->lineage);
  snapshot.stage = snapshot.lineage.back().stage;
  snapshot.manifest = std::move(begun->manifest);
  snapshot.configured = std::move(begun->configured);
  snapshot.packages = std::move(begun->packages);
  StampEntries stamps = stamp_folders_of(world.engine, container.name, world.table);
  GuardNotes notes = read_guard_notes(world.engine, container.name);
  std::map<std::string, std::string> fingerprints;
  if (files) fingerprints = package_fingerprints(*files);
  // If its tree was another one, its packages were built from other files: their fingerprints say so,
  // whatever the packages need now.
  std::shared_ptr<const DependencyGraph> graph = world.graphs.of(environment, snapshot.configured);
  BuiltHere here{.graph = *graph, .fingerprints = fingerprints, .before = begun->records, .notes = notes};
  snapshot.packages = installed_packages(stamps, world.packages, snapshot.packages, &here);
  return true;
}

void remove(const BuildWorld& world, const ContainerInfo& container) {
  discard_work(world.engine, world.state, container.name);
}

// Removes checkpoint images of a container: a final image exists now.
void remove_checkpoints(const BuildWorld& world, const std::string& container) {
  for (const ImageInfo& image : world.engine.list_images(std::string(kCheckpointLabel), container)) {
    if (!image.problem.empty()) continue;  // its owner is not known
    for (const std::string& name : image.names) world.engine.remove_image(name);
    if (image.names.empty()) world.engine.remove_image(image.id);
  }
}

// Whether a name of unfinished images stays with the image that has it now.
bool has_richer(const BuildWorld& world, const Environment& environment, const std::string& name,
                const Snapshot& ours) {
  std::optional<ImageInfo> named = world.engine.find_image(name);
  std::optional<Snapshot> there = named ? snapshot_of(*named) : std::nullopt;
  return there && is_richer(plan_of(world, environment, {}), world.graphs, *there, ours);
}

void adopt(const BuildWorld& world, const Environment& environment, const ContainerInfo& container,
           Snapshot snapshot, Reporter& reporter, bool discard_unsaved) {
  std::string name;
  bool is_known = false;
  try {
    std::optional<RunningStage> begun = begun_in(world.state, container);
    if (is_unused(begun)) {
      remove(world, container);
      reporter.note(fmt::format("{}: removed the container {} of an earlier run: nothing had started in it",
                                environment.name, container.name));
      return;
    }
    is_known = complete_description(world, environment, container, std::move(begun), snapshot);
    name = image_name(world.table, world.repository, snapshot.environment, snapshot.stage) + ":" +
           world.tags.front() + "-failed";
    if (!world.take_names && is_foreign_name(world.engine, name)) name = name_beside(name);
    CommitSpec spec{.names = {name}, .labels = to_labels(snapshot), .working_folder = world.table.root};
    if (has_richer(world, environment, name, snapshot)) spec.names.clear();
    std::string id = world.engine.commit(container.name, spec);
    Origins(world.state.origins()).made(id);
    if (spec.names.empty()) name = id;
  } catch (...) {  // for example, a full disk
    std::string why = caught_text();
    if (!discard_unsaved)
      throw EngineError(
          fmt::format("{}: container {}, which an earlier run left, cannot be saved, and stays for the next: "
                      "{}\n{}; `stagemake "
                      "build --discard-unsaved` does without it",
                      snapshot.environment, container.name, why, ways_out(snapshot.environment)));
    remove(world, container);
    reporter.note(
        fmt::format("{}: discarded container {}, which an earlier run left in {} and which cannot be "
                    "saved: {}",
                    snapshot.environment, container.name, snapshot.stage, why));
    return;
  }
  remove(world, container);
  if (is_known) remove_checkpoints(world, container.name);  // otherwise they are worth more
  reporter.note(fmt::format("{}: an earlier run ended without saving its work in {}; kept it as {}, {}{}",
                            snapshot.environment, snapshot.stage, name,
                            counted(snapshot.packages.size(), "package"),
                            is_known ? ""
                                     : ", of which none counts as finished: the state folder has no record "
                                       "of what was built in it"));
}

// Whether the current tree still asks for what runs in a container.
bool is_wanted(const BuildWorld& world, const Environment& environment, const LineageEntry& reached) {
  StagePlan plan = plan_of(world, environment, {});
  std::optional<std::size_t> stage = plan.table.find(reached.stage);
  return stage && plan.stages[*stage].key == reached.key;
}

// The driver is dead, and its work in the container still runs.
void end_work(const BuildWorld& world, const Environment& environment, const ContainerInfo& container,
              const std::optional<Snapshot>& snapshot, const std::stop_token& stop, Reporter& reporter,
              const std::optional<RunTime>& time, const std::stop_token& kill) {
  constexpr double kLookPause = 0.5;  // seconds
  constexpr std::chrono::milliseconds kGrace{10000};
  world.engine.resume(container.name);  // the driver may have died during a checkpoint
  std::optional<LineageEntry> reached;
  if (snapshot) reached = stage_reached(world.state, container, *snapshot);
  if (reached && is_wanted(world, environment, *reached)) {
    reporter.note(
        fmt::format("{}: an earlier run died, and its container is still building {}: waiting for it",
                    environment.name, reached->stage));
    double until = time ? stage_times(*time, kUnknownCommit).end : std::numeric_limits<double>::infinity();
    while (!stop.stop_requested() && world.clock.now() < until &&
           !world.engine.processes(container.name).empty())
      world.clock.sleep(kLookPause, stop);
  } else {
    reporter.note(
        fmt::format("{}: an earlier run died, and its container is still building what nobody wants any "
                    "more: ending it",
                    environment.name));
  }
  world.engine.stop_container(container.name, kGrace, kill);
}

}  // namespace

std::vector<ContainerInfo> left_containers(const BuildWorld& world, const std::string& environment) {
  std::vector<ContainerInfo> containers =
      world.engine.list_containers(std::string(kStateLabel), state_mark(world.state, environment));
  std::erase_if(containers, [prefix = container_prefix(environment)](const ContainerInfo& container) {
    return !container.name.starts_with(prefix);
  });
  return containers;
}

LeftWork left_work(const BuildWorld& world, const std::vector<Environment>& environments) {
  LeftWork left;
  Holders holders(world.engine, world.state);
  std::vector<ContainerInfo> all =
      world.engine.list_containers(std::string(kSchemaLabel), std::to_string(kSnapshotSchema));
  for (const Environment& environment : environments) {
    fs::path lock = world.state.environment_lock(environment.name);
    for (const ContainerInfo& container : all) {
      auto mark = container.labels.find(std::string(kStateLabel));
      if (mark == container.labels.end() || mark->second != state_mark(world.state, environment.name) ||
          !container.name.starts_with(container_prefix(environment.name)))
        continue;
      if (!FileLock::try_take(lock)) {
        left.notes.push_back(fmt::format("{}: {} is building it now; the following ignores what it makes",
                                         environment.name, FileLock::holder(lock)));
        break;
      }
      std::optional<Snapshot> snapshot = from_labels(container.labels);
      if (!snapshot) continue;
      if (std::optional<std::string> why = holders.claim(container)) {
        left.notes.push_back(
            fmt::format("{}: container {} is left alone: {}", environment.name, container.name, *why));
        continue;
      }
      try {
        std::optional<RunningStage> begun = begun_in(world.state, container);
        if (is_unused(begun)) continue;
        complete_description(world, environment, container, std::move(begun), *snapshot);
      } catch (const Error&) {
        continue;
      }
      auto began = container.labels.find(std::string(kBeganLabel));
      snapshot->created = began == container.labels.end() ? 0 : std::atoll(began->second.c_str());
      snapshot->container = container.name;
      left.notes.push_back(fmt::format(
          "{}: a run ended without saving its work in {}; a build saves it first, {} of container {}{}",
          environment.name, snapshot->stage, counted(snapshot->packages.size(), "package"), container.name,
          container.running ? ", which is still running" : ""));
      left.snapshots.push_back(std::move(*snapshot));
    }
  }
  return left;
}

std::set<std::string> environments_left_behind(ContainerEngine& engine, const StateFolder& state,
                                               const std::vector<Environment>& environments) {
  std::map<std::string, std::string> by_mark;
  for (const Environment& environment : environments)
    by_mark[state_mark(state, environment.name)] = environment.name;
  std::set<std::string> names;
  for (const ContainerInfo& container : engine.list_containers(std::string(kStateLabel), "")) {
    auto label = container.labels.find(std::string(kStateLabel));
    auto found = label == container.labels.end() ? by_mark.end() : by_mark.find(label->second);
    if (found != by_mark.end() && container.name.starts_with(container_prefix(found->second)))
      names.insert(found->second);
  }
  return names;
}

std::vector<UnsavedWork> unsaved_work(ContainerEngine& engine, const StateFolder& state,
                                      const StageTable& table, const std::set<std::string>& environments) {
  std::vector<UnsavedWork> found;
  Holders holders(engine, state);
  for (ContainerInfo& container : engine.list_containers(std::string(kStateLabel), "")) {
    std::optional<Snapshot> snapshot = from_labels(container.labels);
    if (!snapshot || snapshot->distribution != table.distribution ||
        !fits_in_image_name(snapshot->environment) ||
        !container.name.starts_with(container_prefix(snapshot->environment)) ||
        container.labels[std::string(kStateLabel)] != state_mark(state, snapshot->environment) ||
        (!environments.empty() && !environments.contains(snapshot->environment)))
      continue;
    fs::path lock = state.environment_lock(snapshot->environment);
    boost::system::error_code ignored;
    if (fs::exists(lock, ignored) && !FileLock::try_take(lock)) continue;  // its driver lives
    if (holders.claim(container)) continue;                                // likewise
    std::int64_t began = std::atoll(container.labels[std::string(kBeganLabel)].c_str());
    std::string stage = stage_reached(state, container, *snapshot).stage;
    found.push_back({.container = std::move(container),
                     .environment = snapshot->environment,
                     .stage = std::move(stage),
                     .began = began});
  }
  std::sort(found.begin(), found.end(), [](const UnsavedWork& a, const UnsavedWork& b) {
    return std::tie(a.environment, a.container.name) < std::tie(b.environment, b.container.name);
  });
  return found;
}

void discard_work(ContainerEngine& engine, const StateFolder& state, const std::string& container) {
  engine.remove_container(container);
  state.forget_container(container);
}

std::string ways_out(const std::string& environment) {
  return fmt::format(
      "`stagemake gc` makes room; `stagemake clean {} --containers` removes the container, with `--export "
      "FILE` "
      "after copying its files",
      environment);
}

void adopt_containers(const BuildWorld& world, const Environment& environment, const std::stop_token& stop,
                      Reporter& reporter, const std::optional<RunTime>& time, const std::stop_token& kill,
                      bool discard_unsaved) {
  std::set<std::string> present;
  Holders holders(world.engine, world.state);
  for (const ContainerInfo& container : left_containers(world, environment.name)) {
    present.insert(container.name);
    if (std::optional<std::string> why = holders.claim(container)) {
      reporter.note(fmt::format("{}: container {} is left alone: {}", environment.name,
                                printable(container.name), *why));
      continue;
    }
    std::optional<Snapshot> snapshot = from_labels(container.labels);
    if (container.running) end_work(world, environment, container, snapshot, stop, reporter, time, kill);
    if (snapshot) {
      adopt(world, environment, container, std::move(*snapshot), reporter, discard_unsaved);
    } else {
      reporter.note(
          fmt::format("{}: removed the container {} of an earlier run: it does not say what it holds",
                      environment.name, printable(container.name)));
      remove(world, container);
    }
  }
  world.state.forget_containers(container_prefix(environment.name), present);
}

}  // namespace stagemake
