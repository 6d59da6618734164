#include "run/adoption.h"

#include <fmt/format.h>

#include <limits>

#include "base/caught_error.h"
#include "base/digest.h"
#include "base/machine.h"
#include "base/tarball.h"
#include "base/text.h"
#include "run/guard.h"
#include "run/image_survey.h"
#include "run/ladder.h"
#include "run/workplace.h"

namespace stagemake {
namespace {

// Fills in what its labels could not say when the container was made: what was brought and built since.
void complete_description(const BuildWorld& world, const Environment& environment,
                          const ContainerInfo& container, Snapshot& snapshot) {
  std::optional<std::string> tar = world.engine.copy_out(container.name, std::string(kManifestPath));
  std::vector<TarEntry> entries = tar ? read_tar(*tar, 256u << 20) : std::vector<TarEntry>();
  std::optional<std::vector<SourceFile>> files;
  if (entries.size() == 1) files = parse_manifest(entries[0].content);
  snapshot.manifest = files ? sha256_hex(entries[0].content) : std::string();
  if (snapshot.cpu.empty()) snapshot.cpu = cpu_features();  // its driver was on this machine
  if (!files) return;
  std::optional<std::string> running = world.engine.copy_out(container.name, std::string(kRunningPath));
  entries = running ? read_tar(*running) : std::vector<TarEntry>();
  std::vector<std::string> folders = stamp_folders_of(world.engine, container.name, world.table);
  RecordMarks before;
  std::optional<RunningStage> begun =
      entries.size() == 1 ? parse_running(entries[0].content, container.name) : std::nullopt;
  if (begun) {
    snapshot.lineage = std::move(begun->lineage);
    snapshot.stage = snapshot.lineage.back().stage;
    snapshot.packages = std::move(begun->packages);
    before = std::move(begun->records);
  } else {  // nothing has begun: what its image is said to hold was there before
    before = record_marks(folders);
    std::erase_if(before, [&](const auto& record) {
      std::size_t dash = record.first.find('-');
      auto known = snapshot.packages.find(record.first.substr(0, dash));
      return known == snapshot.packages.end() || known->second.version != record.first.substr(dash + 1);
    });
  }
  snapshot.configured = survey_configured(world.engine, container.name, world.table, world.packages,
                                          snapshot.packages, snapshot.configured);
  GuardNotes notes = read_guard_notes(world.engine, container.name);
  std::map<std::string, std::string> fingerprints = package_fingerprints(*files);
  // Where its tree was another one, other files were what its packages were built from: their own
  // fingerprints say so, whatever they need now.
  DependencyGraph graph = graph_of(world, environment, snapshot.configured);
  BuiltHere here{.graph = graph,
                 .fingerprints = fingerprints,
                 .before = before,
                 .notes = notes};
  snapshot.packages = installed_packages(folders, world.packages, snapshot.packages, &here);
}

void remove(const BuildWorld& world, const ContainerInfo& container) {
  world.engine.remove_container(container.name);
  boost::system::error_code ignored;
  fs::remove(world.state.job_slots(container.name), ignored);
}

// Images that were made of a container while its stage went on: one of its end is there now.
void remove_checkpoints(const BuildWorld& world, const std::string& container) {
  for (const ImageInfo& image : world.engine.list_images(std::string(kCheckpointLabel), container)) {
    for (const std::string& name : image.names) world.engine.remove_image(name);
    if (image.names.empty()) world.engine.remove_image(image.id);
  }
}

void adopt(const BuildWorld& world, const Environment& environment, const ContainerInfo& container,
           Snapshot snapshot, Reporter& reporter) {
  std::string name;
  try {
    complete_description(world, environment, container, snapshot);
    name = image_name(world.table, world.repository, snapshot.environment, snapshot.stage) + ":" +
           world.tags.front() + "-failed";
    world.engine.commit(container.name,
                        {.names = {name}, .labels = to_labels(snapshot), .working_folder = world.table.root});
  } catch (...) {  // a full disk, say
    throw EngineError(fmt::format(
        "{}: container {}, which an earlier run left, cannot be saved, and stays for the next: {}",
        snapshot.environment, container.name, caught_text()));
  }
  remove(world, container);
  remove_checkpoints(world, container.name);
  reporter.note(fmt::format("{}: an earlier run ended without saving its work in {}; kept it as {}, {}",
                            snapshot.environment, snapshot.stage, name,
                            counted(snapshot.packages.size(), "package")));
}

// Whether the tree, as it is now, asks for what a container was made for.
bool is_wanted(const BuildWorld& world, const Environment& environment, const Snapshot& snapshot) {
  StagePlan plan = plan_of(world, environment, {});
  std::optional<std::size_t> stage = plan.table.find(snapshot.stage);
  return stage && plan.stages[*stage].key == snapshot.key();
}

// The driver is dead, and what it began in the container still works.
void end_work(const BuildWorld& world, const Environment& environment, const ContainerInfo& container,
              const std::optional<Snapshot>& snapshot, const std::stop_token& stop, Reporter& reporter,
              const std::optional<RunTime>& time) {
  constexpr double kLookPause = 0.5;  // seconds
  constexpr std::chrono::milliseconds kGrace{10000};
  world.engine.resume(container.name);  // it may have died during a checkpoint
  if (snapshot && is_wanted(world, environment, *snapshot)) {
    reporter.note(
        fmt::format("{}: an earlier run is dead, and its container still works on {}: waiting for it",
                    environment.name, snapshot->stage));
    double until = time ? stage_times(*time, kUnknownCommit).end : std::numeric_limits<double>::infinity();
    while (!stop.stop_requested() && world.clock.now() < until &&
           !world.engine.processes(container.name).empty())
      world.clock.sleep(kLookPause);
  } else {
    reporter.note(
        fmt::format("{}: an earlier run is dead, and its container still works on what nobody wants any "
                    "more: ending it",
                    environment.name));
  }
  world.engine.stop_container(container.name, kGrace);
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
        left.notes.push_back(fmt::format("{}: {} builds it now; what follows is said without what it makes",
                                         environment.name, FileLock::holder(lock)));
        break;
      }
      std::optional<Snapshot> snapshot = from_labels(container.labels);
      if (!snapshot) continue;
      try {
        complete_description(world, environment, container, *snapshot);
      } catch (const Error&) {
        continue;
      }
      auto began = container.labels.find(std::string(kBeganLabel));
      snapshot->created = began == container.labels.end() ? 0 : std::atoll(began->second.c_str());
      snapshot->container = container.name;
      left.notes.push_back(fmt::format(
          "{}: a run ended without saving its work in {}; a build saves it first, {} packages of container {}{}",
          environment.name, snapshot->stage, snapshot->packages.size(), container.name,
          container.running ? ", which still works" : ""));
      left.snapshots.push_back(std::move(*snapshot));
    }
  }
  return left;
}

void adopt_containers(const BuildWorld& world, const Environment& environment, const std::stop_token& stop,
                      Reporter& reporter, const std::optional<RunTime>& time) {
  for (const ContainerInfo& container : left_containers(world, environment.name)) {
    std::optional<Snapshot> snapshot = from_labels(container.labels);
    if (container.running) end_work(world, environment, container, snapshot, stop, reporter, time);
    if (snapshot) {
      adopt(world, environment, container, std::move(*snapshot), reporter);
    } else {
      reporter.note(
          fmt::format("{}: removed the container {} of an earlier run: it does not say what it holds",
                      environment.name, printable(container.name)));
      remove(world, container);
    }
  }
}

}  // namespace stagemake
