#include "run/schedule_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/process/machine.h"
#include "base/text/text.h"
#include "run/build/prepare.h"
#include "run/container/adoption.h"
#include "run/container/image_survey.h"
#include "run/images/gc.h"
#include "run/images/remote_snapshots.h"
#include "run/state/learned.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

constexpr const char* kEnvironment = "debian-bookworm-minimal";
constexpr const char* kBaseImage = "debian:bookworm";
constexpr const char* kRepository = "registry.example:5000/us/";
constexpr std::int64_t kNow = 4'000'000'000;  // for the cache of sources, which is never written

std::string text_of(const Stamps& stamps) {
  std::string text;
  for (const auto& [name, stamp] : stamps)
    text += fmt::format(" {}-{}/{}", name, stamp.version, stamp.digest);
  return text;
}

// What is reported in a command, in the build lane and the push lane.
class Notes {
 public:
  void add(std::string text) {
    std::lock_guard lock(mutex_);
    notes_.push_back(std::move(text));
  }
  // After all lanes have ended.
  const std::vector<std::string>& all() const { return notes_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> notes_;
};

// The end of a push is reported here.
class ScheduleReporter : public Reporter {
 public:
  ScheduleReporter(VirtualClock& time, Notes& notes) : time_(time), notes_(notes) {}
  void begins(const std::vector<EnvironmentStatus>&) override { call(); }
  void changed(const std::vector<EnvironmentStatus>&, StageAddress) override { call(); }
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override { call(); }
  void printed(StageAddress, std::string_view) override { call(); }
  void package(StageAddress, const PackageStatus&) override { call(); }
  void note(const std::string& text) override {
    bool is_push = text.starts_with("pushed ") || text.find(" is not pushed: ") != std::string::npos ||
                   text.find(" could not be pushed") != std::string::npos;
    if (is_push) time_.end_push(text);
    notes_.add(text);
    call();
  }

  // The calls, counted from 1, that throw.
  std::set<unsigned> throws;
  std::atomic<unsigned> thrown = 0;

 private:
  void call() {
    unsigned number = ++calls_;
    if (!throws.contains(number)) return;
    ++thrown;
    if (number % 2 == 0) throw std::runtime_error("a reader's own fault");
    throw number;  // a type that nobody expects
  }

  std::atomic<unsigned> calls_ = 0;
  VirtualClock& time_;
  Notes& notes_;
};

}  // namespace

ScheduleMachine::ScheduleMachine(std::shared_ptr<FakeRegistry> registry, const std::string& its_name,
                                 const fs::path& tree, VirtualClock& time, Chance& chance)
    : name(its_name),
      folder(fs::temp_directory_path()),
      state(folder.path(), tree),
      journal(state.journal()),
      engine(std::move(registry), its_name, time, chance),
      make(engine, time, chance) {
  // The same content on every machine, and so the same digest.
  engine.add_image(kBaseImage,
                   {.files = {{"/etc/os", {.content = "debian"}}}, .created = 1, .digest = "sha256:base"});
  engine.on_run = [this](FakeContainer& container, const std::string& script, const OutputSink& sink,
                         std::stop_token stop) { return make.act(container, script, sink, stop); };
  engine.on_processes = [this, &time](const std::string& container) {
    if (engine.container(container).paused) throw std::logic_error("what is paused is waited for");
    return time.now() < works_until ? std::vector<ContainerProcess>{{.pid = 1, .command = "make"}}
                                    : std::vector<ContainerProcess>{};
  };
}

// A command, and what was observed of it.
struct ScheduleWorld::Running {
  ScheduleMachine& machine;
  const ScheduleCommand& command;
  std::optional<RunTime> time = {};
  Notes notes = {};
  SnapshotList snapshots = {};
  std::vector<EnvironmentBuild> builds = {};
  std::optional<BuildResult> result = {};
  bool died = false;
  bool vanished = false;
  std::string error = {};
  Stamps finished = {};                                    // before the command
  std::map<std::string, Stamps> starts = {};               // what containers held at first
  std::map<std::string, std::set<std::string>> made = {};  // packages started, by container
  std::vector<std::string> twice = {};                     // of `finished`, started again
};

ScheduleWorld::ScheduleWorld(Chance& chance, unsigned machines) : chance_(chance), tree_(chance) {
  for (unsigned i = 0; i < machines; ++i) machines_.push_back(new_machine(fmt::format("m{}", i + 1)));
}

std::unique_ptr<ScheduleMachine> ScheduleWorld::new_machine(const std::string& name) {
  return std::make_unique<ScheduleMachine>(registry_, name, tree_.path(), time_, chance_);
}

void ScheduleWorld::note(const Running& running, const std::string& text) {
  broken.push_back(fmt::format("command {} on {}: {}", commands, running.machine.name, text));
}

// Watches builds: no package is built where it is ready, and no package that was finished before.
void ScheduleWorld::observe(Running& running) {
  ScheduleMachine& machine = running.machine;
  machine.engine.on_create = [&](const FakeContainer& container) {
    Stamps stamps = stamps_in(container.files);
    running.notes.add(fmt::format("{} begins with{}, by a clock that is {} s ahead", container.name,
                                  text_of(stamps), machine.engine.ahead));
    running.starts[container.name] = std::move(stamps);
  };
  machine.make.on_build = [&](const FakeContainer& container, const std::string& name, const Stamp& stamp) {
    ++built;
    running.notes.add(fmt::format("{}: {}-{}/{}", container.name, name, stamp.version, stamp.digest));
    std::set<std::string>& made = running.made[container.name];
    const PackageIndex& packages = machine.make.tree->packages;
    auto needed = machine.make.tree->graph.normal_dependencies(*packages.find(name));
    bool after_another = std::any_of(needed.begin(), needed.end(),
                                     [&](PackageId id) { return made.contains(packages[id].name); });
    made.insert(name);
    if (after_another) return;
    // If a normal dependency is newer, a run was cut off between the two, or the clock was set back.
    auto has = [&](const Stamps& stamps) {
      auto found = stamps.find(name);
      return found != stamps.end() && found->second == stamp &&
             std::none_of(needed.begin(), needed.end(), [&](PackageId id) {
               auto other = stamps.find(packages[id].name);
               return other == stamps.end() || other->second.number > found->second.number ||
                      other->second.time > found->second.time;
             });
    };
    if (has(running.starts[container.name]))
      note(running, fmt::format("{} was ready in its container and is built again", name));
    if (has(running.finished)) running.twice.push_back(name);
  };
}

std::vector<Snapshot> ScheduleWorld::remote(const SnapshotList& here, const BuildWorld& world) {
  auto likeness = [](const Snapshot& s) { return std::pair(s.created, to_labels(s)); };
  std::vector<Snapshot> found;
  std::set<std::string> references;
  for (const auto& [name, digest] : registry_->tags()) {
    std::optional<FakeImage> image = registry_->find(name);
    if (!image) continue;
    std::optional<Snapshot> snapshot = snapshot_in({.name = name,
                                                    .digest = digest,
                                                    .labels = image->labels,
                                                    .created = image->created,
                                                    .architecture = "",
                                                    .size = 1000,
                                                    .layers = {}});
    if (!snapshot || snapshot->distribution != world.table.distribution) continue;
    if (std::any_of(here.begin(), here.end(),
                    [&](const SnapshotPtr& one) { return likeness(*one) == likeness(*snapshot); }))
      continue;
    if (references.insert(snapshot->reference).second) found.push_back(std::move(*snapshot));
  }
  return found;
}

// As the command does; false if the driver could not even decide.
bool ScheduleWorld::look(Running& running, BuildWorld& world) {
  const ScheduleCommand& command = running.command;
  EnvironmentReader reader({.packages = world.packages, .processors = 2});
  Environment environment = reader.resolve({.name = kEnvironment, .given = tree_.given()});
  ScheduleReporter reporter(time_, running.notes);
  if (!left_containers(world, environment.name).empty()) {
    ++adopted;
    adopt_containers(world, environment, running.machine.engine.stop(), reporter, running.time);
  }
  running.snapshots = share(find_snapshots(world.engine, world.table));
  if (command.from) append(running.snapshots, remote(running.snapshots, world));
  world.predictions = learned(world.journal.read(), running.snapshots);
  running.builds.push_back(prepare(world, environment, {command.target}, running.snapshots, {}));
  return true;
}

void ScheduleWorld::build(Running& running, BuildWorld& world) {
  ScheduleEngine& engine = running.machine.engine;
  ScheduleReporter reporter(time_, running.notes);
  reporter.throws = running.command.throws;
  auto keeps = [&](const std::string& name, const std::stop_token&) -> std::string {
    time_.begin_push(name);
    std::optional<ImageInfo> ours = engine.FakeEngine::find_image(name);
    std::optional<FakeImage> theirs = registry_->find(name);
    std::optional<Snapshot> own = ours ? snapshot_of(*ours) : std::nullopt;
    std::optional<Snapshot> there = theirs ? from_labels(theirs->labels) : std::nullopt;
    if (there) there->created = theirs->created;
    std::string why = own && there ? worth_keeping(*there, *own) : std::string();
    return why == kAlreadyThere ? why + ", and told: the clock waits for a word" : why;
  };
  std::optional<PushQueue> pushes;
  if (running.command.push)
    pushes.emplace(
        engine, time_, running.machine.journal, reporter,
        PushOptions{.keeps = keeps,
                    .on_finish = [this] { time_.end_build(); },
                    .stop = engine.stop(),
                    .kill = engine.kill(),
                    .deadline = running.time ? std::optional(running.time->deadline) : std::nullopt});
  struct Ending {
    VirtualClock& time;
    ~Ending() { time.end_build(); }
  };
  {
    Ending ending{time_};
    running.result = run_builds(world, running.builds,
                                {.at_once = 1,
                                 .stop = engine.stop(),
                                 .kill = engine.kill(),
                                 .time = running.time,
                                 .checkpoint = running.command.checkpoint,
                                 .pushes = pushes ? &*pushes : nullptr},
                                reporter);
  }
  if (engine.is_dead()) throw DriverDied();
  if (pushes) pushed += static_cast<unsigned>(pushes->finish().pushed.size());
  thrown += reporter.thrown;
}

void ScheduleWorld::run(ScheduleMachine& machine, const ScheduleCommand& command) {
  ++commands;
  Running running{.machine = machine, .command = command, .finished = machine.finished};
  if (command.seconds) running.time = RunTime{time_.now(), time_.now() + *command.seconds};
  time_.begin_build();
  machine.engine.begin_command(command.mishaps);
  machine.engine.push_repository = command.push ? kRepository : "";
  observe(running);
  ReadTree read(tree_.path());
  machine.make.tree = &read;
  machine.make.has_run = false;
  DependencyGraphs graphs(read.packages, read.variables);
  StageTable table = stage_table_of(tree_.path(), read.packages.features(), {});
  SourceTree sources(tree_.path(), machine.state.source_ids(), kNow);
  BuildWorld world{.engine = machine.engine,
                   .state = machine.state,
                   .packages = read.packages,
                   .graphs = graphs,
                   .table = table,
                   .sources = sources,
                   .journal = machine.journal,
                   .clock = time_,
                   .push_repository = command.push ? kRepository : "",
                   .tags = {"1"}};
  try {
    if (look(running, world)) build(running, world);
  } catch (const std::exception& error) {
    running.error = error.what();
  }
  // Whatever happened to the exception on its way.
  if (machine.engine.is_dead()) {
    running.died = true;
    running.error.clear();
    ++deaths;
    machine.works_until = time_.now() + chance_.between(0, 600);
    for (const std::string& container : machine.engine.container_names())
      left_paused += machine.engine.container(container).paused ? 1 : 0;
    running.vanished = command.vanishes;
  }
  if (machine.make.has_run) machine.finished = machine.make.last;
  if (running.vanished) vanish(running);
  check_result(running);
  check_rebuilt(running);
  for (const std::string& text : running.notes.all()) story.push_back("  " + text);
  machine.make.tree = nullptr;
}

// The containers disappear with their driver: only images are left, among them the last checkpoint.
void ScheduleWorld::vanish(Running& running) {
  ScheduleEngine& engine = running.machine.engine;
  Stamps saved;
  for (const std::string& container : engine.container_names()) {
    ++vanished;
    for (const ImageInfo& image : engine.FakeEngine::list_images(std::string(kCheckpointLabel), container))
      if (Stamps held = stamps_in(engine.image(image.id).files); held.size() > saved.size()) saved = held;
    engine.FakeEngine::remove_container(container);
  }
  saved_by_checkpoint += saved.empty() ? 0 : 1;
  running.machine.finished = saved;
}

// A package that was finished before is rebuilt only after a decision: an image in which it is ready was
// known, and another one was better.
void ScheduleWorld::check_rebuilt(const Running& running) {
  // If the clock is set back while make runs, make builds what it should have rebuilt before.
  if (running.command.mishaps.clock_is_set) return;
  for (const std::string& name : running.twice) {
    bool known = false;
    for (const EnvironmentBuild& build : running.builds)
      for (const StageDecision& decision : build.decisions)
        for (const Candidate& candidate : decision.candidates) {
          if (candidate.snapshot == nullptr || !candidate.refused.empty()) continue;
          const PackageIndex& packages = running.machine.make.tree->packages;
          std::optional<PackageId> id = packages.find(name);
          auto found = candidate.snapshot->packages.find(name);
          known = known || (id && found != candidate.snapshot->packages.end() &&
                            found->second.version == packages[*id].version &&
                            std::find(candidate.to_build.begin(), candidate.to_build.end(), *id) ==
                                candidate.to_build.end());
        }
    if (!known)
      note(running, fmt::format("{} was finished, is not found any more, and is built again", name));
  }
}

void ScheduleWorld::check_result(const Running& running) {
  ScheduleEngine& engine = running.machine.engine;
  const Mishaps& mishaps = running.command.mishaps;
  if (running.result && running.result->out_of_time) ++out_of_time;
  for (const std::string& text : running.notes.all())
    if (text.find(" is not used: ") != std::string::npos)
      ++demoted;
    else if (text.starts_with("checkpoint of "))
      ++checkpoints;
    else if (text.find("no checkpoint could be made") != std::string::npos && !running.died &&
             !engine.is_gone())
      note(running, text);
    else if (text.find(" in the future, and were set to the present") != std::string::npos)
      ++mapped;
  if (running.time && time_.now() > running.time->deadline && !running.died)
    note(running, fmt::format("ended {} s after its deadline, which was {} s from its beginning",
                              time_.now() - running.time->deadline, *running.command.seconds));
  if (running.died) return;
  if (!running.error.empty() && !engine.is_gone()) note(running, "an error escaped: " + running.error);
  if (!running.result) return;
  const BuildResult& result = *running.result;
  if (result.engine_failed && !engine.is_gone()) note(running, "it says that the engine failed");
  if (result.input_failed) note(running, "it says that its input failed");
  if (result.out_of_time && !running.time) note(running, "it ran out of time without a deadline");
  bool disturbed = engine.is_gone() || mishaps.stops || running.time || result.stage_failed;
  if (!result.all_well() && !disturbed) note(running, "not all is well, and nobody says why");
  if (result.stage_failed && running.machine.make.failing.empty() && !mishaps.stops && !running.time &&
      !engine.is_gone())
    note(running, "a stage failed, and no package did");
  if (!engine.is_gone() && !engine.container_names().empty()) note(running, "a container is left");
}

std::vector<std::string> ScheduleWorld::images(ScheduleMachine& machine) {
  std::vector<std::string> ids;
  for (const ImageInfo& image : machine.engine.FakeEngine::list_images(std::string(kSchemaLabel), ""))
    ids.push_back(image.id);
  return ids;
}

// Replaces it with an image that claims the same but has other content.
void ScheduleWorld::damage(ScheduleMachine& machine, const std::string& id) {
  FakeEngine& engine = machine.engine;
  FakeImage image = engine.image(id);
  std::vector<std::string> names = engine.FakeEngine::find_image(id)->names;
  Stamps stamps = stamps_in(std::as_const(image.files));
  if (names.empty()) names.emplace_back("damaged:" + id.substr(7, 12));
  if (stamps.empty() || chance_.percent(40)) {
    if (!std::as_const(image.files).contains(std::string(kManifestPath))) return;
    image.files[std::string(kManifestPath)].content += "altered\n";
  } else {
    auto stamp = std::next(stamps.begin(), static_cast<long>(chance_.below(stamps.size())));
    std::string path = stamp_path(stamp->first, stamp->second.version);
    if (chance_.percent(50))
      image.files.erase(path);
    else
      image.files[path].content.clear();
  }
  image.layer_ids.clear();
  if (!engine.FakeEngine::remove_image(id)) return;
  std::string altered = engine.add_image(names[0], image);
  for (const std::string& name : names) engine.FakeEngine::tag(altered, name);
}

void ScheduleWorld::collect(ScheduleMachine& machine) {
  machine.engine.begin_command({});
  ReadTree read(tree_.path());
  StageTable table = stage_table_of(tree_.path(), read.packages.features(), {});
  collect_garbage(machine.engine, machine.state, table, machine.journal, {.now = machine.engine.clock()},
                  [this](const GcEntry& gone) {
                    story.push_back(fmt::format("  {}, of {} with {}, goes: {}", display_name(gone.image),
                                                gone.image.created,
                                                counted(gone.image.packages.size(), "package"), gone.why));
                  });
}

void ScheduleWorld::compare_with_clean(ScheduleMachine& machine) {
  std::string name = image_name(stage_table_of(tree_.path(), ReadTree(tree_.path()).packages.features(), {}),
                                "", kEnvironment, "with-targets") +
                     ":1";
  if (!machine.engine.FakeEngine::find_image(name)) {
    broken.push_back("there is no finished image in the end");
    return;
  }
  Stamps last = stamps_in(machine.engine.image(name).files);
  std::unique_ptr<ScheduleMachine> fresh = new_machine("clean");
  fresh->make.seconds = machine.make.seconds;
  run(*fresh, {});
  Stamps clean = stamps_in(fresh->engine.image(name).files);
  if (last != clean)
    broken.push_back(
        fmt::format("the final image has\n   {}\n  and a clean one\n   {}", text_of(last), text_of(clean)));
}

}  // namespace stagemake
