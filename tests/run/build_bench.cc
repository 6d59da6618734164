#include "run/build_bench.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"
#include "report/events/reporter_group.h"
#include "run/build/fresh_build.h"
#include "run/build/hosts.h"
#include "run/build/prepare.h"
#include "run/container/build_container.h"
#include "run/fake_scripts.h"
#include "run/state/learned.h"

namespace stagemake {
namespace {

constexpr std::int64_t kNow = 4'000'000'000;  // for the cache of sources: no file is too young
constexpr std::string_view kMakefile = "/sage/build/make/Makefile";
constexpr std::string_view kStamps = "/sage/local/var/lib/sage/installed/";

std::string value(const std::string& script, const std::string& name) {
  return between(script, "export " + name + "=", "\n");
}

// When a stamp was written, as a count: the clock is too coarse for the stamps of one test.
unsigned long written(const FakeFiles& files, std::string_view stamp_prefix) {
  auto found = files.lower_bound(std::string(stamp_prefix));
  if (found == files.end() || !found->first.starts_with(stamp_prefix)) return 0;
  return std::stoul(found->second.content.substr(found->second.content.rfind(' ') + 1));
}

}  // namespace

void RecordingReporter::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  std::lock_guard lock(mutex);
  const EnvironmentStatus& where = all[at.environment];
  changes.push_back(
      fmt::format("{} {}: {}", where.name, where.stage_names[at.stage], word(where.stages[at.stage].state)));
  if (heard) heard(changes.back());
}

void RecordingReporter::expected(StageAddress at, const StageExpectation& expectation) {
  std::lock_guard lock(mutex);
  expectations.push_back({at, expectation});
}

void RecordingReporter::ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) {
  std::lock_guard lock(mutex);
  ++ended;
  notes_before_end = notes.size();
}

void RecordingReporter::note(const std::string& text) {
  std::lock_guard lock(mutex);
  notes.push_back(text);
}

BuildBench::BuildBench(std::string_view tree_text)
    : tree(tree_text), state_folder(fs::temp_directory_path()), state(state_folder.path(), tree.path()) {
  engine.clock = [this] { return static_cast<std::int64_t>(clock.last()); };
  engine.add_image("debian:bookworm", {.files = {{"/etc/os", {.content = "debian"}}}});
  engine.on_run = [this](FakeContainer& container, const std::string& script, const OutputSink& sink,
                         std::stop_token stop) { return act(container, script, sink, stop); };
}

// What a command reads first.
struct BuildBench::Command {
  Command(BuildBench& bench, const std::vector<std::string>& environments)
      : read(bench.tree),
        table(stage_table_of(bench.tree.path(), read.packages.features(), bench.stages)),
        sources(bench.tree.path(), bench.state.source_ids(), kNow),
        bases(bench.engine),
        world{.engine = bench.engine,
              .state = bench.state,
              .packages = read.packages,
              .graphs = graphs,
              .table = table,
              .sources = sources,
              .journal = bench.journal,
              .clock = bench.clock,
              .predictions = bench.learns ? learned(bench.journal.read(), {}) : Predictions(),
              .revision = "v1",
              .repository = bench.repository,
              .push_repository = bench.push_repository,
              .tags = bench.tags,
              .take_names = bench.take_names,
              .networks = bench.networks,
              .bases = &bases,
              .trusted = bench.trusted,
              .push_fetched = bench.push_fetched} {
    for (const std::string& name : environments)
      resolved.push_back(EnvironmentReader({.packages = read.packages, .processors = 2})
                             .resolve({.name = name, .given = bench.given}));
  }

  ReadTree read;
  DependencyGraphs graphs{read.packages, read.variables};
  StageTable table;
  SourceTree sources;
  BaseImages bases;
  BuildWorld world;
  std::vector<Environment> resolved;
};

LeftWork BuildBench::left(const std::vector<std::string>& environments) {
  Command command(*this, environments);
  return left_work(command.world, command.resolved);
}

BuildBench::Run BuildBench::build(const std::vector<std::string>& environments) {
  Run run;
  scripts_.clear();
  reporter.notes.clear();
  reporter.changes.clear();
  reporter.expectations.clear();
  std::map<std::string, unsigned> before_calls = engine.calls();
  Command command(*this, environments);
  const BuildWorld& world = command.world;
  const ReadTree& read = command.read;
  const std::vector<Environment>& resolved = command.resolved;
  read_ = &read;
  std::set<std::string> left = environments_left_behind(engine, state, resolved);
  for (const Environment& environment : resolved)
    if (left.contains(environment.name))
      adopt_containers(world, environment, {}, reporter, {}, {}, discard_unsaved);
  std::vector<Snapshot> snapshots = find_snapshots(engine, command.table, &run.passed_over);
  Origins(state.origins()).judge(snapshots, trusted);
  for (const BuildHost& host : options.hosts)
    if (&host.engine != &engine && host.problem.empty())
      for (Snapshot& image : snapshots_on(host.engine, host.name, world))
        snapshots.push_back(std::move(image));
  SnapshotList shared = share(std::move(snapshots));
  std::vector<EnvironmentBuild> builds;
  for (const Environment& environment : resolved)
    builds.push_back(prepare(world, environment, targets, shared, settings));
  for (EnvironmentBuild& build : builds)
    if (auto found = problems.find(build.plan.environment.name); found != problems.end())
      build.problem = found->second;
  settle_fresh(world, builds, start_over);
  run.exact = builds[0].plan.is_exact();
  for (const PlannedStage& stage : builds[0].plan.stages)
    for (PackageId id : stage.packages) run.planned.push_back(read.packages[id].name);
  if (prepared) prepared();
  std::optional<PushQueue> pushes;
  if (options.pushes == nullptr && !push_repository.empty())
    pushes.emplace(engine, clock, journal, reporter, PushOptions());
  if (pushes) options.pushes = &*pushes;
  std::vector<Reporter*> reporters = {&reporter};
  if (also_reports != nullptr) reporters.insert(reporters.begin(), also_reports);
  ReporterGroup group(reporters);
  run.result = run_builds(world, builds, options, group);
  if (pushes) options.pushes = nullptr;
  reporter_problems = group.problems();
  for (const StageStatus& stage : run.result.environments[0].stages)
    run.states.emplace_back(word(stage.state));
  run.scripts = scripts_;
  run.notes = reporter.notes;
  for (const auto& [verb, count] : engine.calls())
    if (unsigned own = count - before_calls[verb]; own > 0) run.calls[verb] = own;
  read_ = nullptr;
  return run;
}

Snapshot BuildBench::snapshot(const std::string& image) const {
  return from_labels(engine.image(image).labels).value();
}

std::string BuildBench::id_of(const std::string& image) {
  std::optional<ImageInfo> found = engine.find_image(image);
  return found ? found->id : "";
}

std::vector<std::string> BuildBench::files(const std::string& image, const std::string& part) const {
  std::vector<std::string> found;
  for (const auto& [path, file] : engine.image(image).files)
    if (path.starts_with("/sage/") && file.kind == TarEntry::Kind::File &&
        path.find(part) != std::string::npos)
      found.push_back(path.substr(6));
  return found;
}

// What runs in containers: it recognizes the scripts of build containers by their lines.
RunOutcome BuildBench::act(FakeContainer& container, const std::string& script, const OutputSink& sink,
                           std::stop_token stop) {
  if (lacks_find && script.find("stagemake-times") != std::string::npos) {
    sink("there is no find in it\n");
    return {.exit_code = 44};
  }
  if (std::optional<std::string> answer = brought_times(container, script, engine.clock())) {
    sink(*answer);
    return {};
  }
  std::string record;
  RunOutcome outcome;
  for (std::string_view line : lines(script)) {
    if (!line.starts_with("rm -rf -- ")) continue;
    std::string path = "/sage/" + std::string(line.substr(10));
    erase_if(container.files,
             [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); });
    record += "rm " + path.substr(6) + "; ";
  }
  for (const std::string& package : word_list(between(script, "for PACKAGE in ", ";"))) {
    erase_if(container.files, [&](const auto& file) {
      return file.first.starts_with(fmt::format("{}{}-", kStamps, package));
    });
    record += fmt::format("uninstall {}; ", package);
  }
  if (script.find("make SAGE_SPKG=") != std::string::npos) {
    std::string name = between(script, "$USE_MAKEFLAGS $", "\n");
    outcome = make(container, word_list(value(script, name)), sink, stop, record);
  } else if (std::string target = between(script, "make $USE_MAKEFLAGS ", "\n"); !target.empty()) {
    outcome = make(container, {target}, sink, stop, record);
  } else {
    if (before) before(container, "", stop);
    bool configures = script.find("./configure") != std::string::npos;
    if (script.find("$BOOTSTRAP") != std::string::npos && !leaves_nothing.contains("bootstrap"))
      container.files["/sage/configure"] = {.content = "#!/bin/sh\n"};
    if (configures && !leaves_nothing.contains("configure")) {
      container.files["/sage/config.status"] = {.content = "#!/bin/sh\n"};
      container.files[std::string(kMakefile)] = {.content = makefile.value_or("")};
    }
    record += configures                                       ? "configure"
              : script.find("$BOOTSTRAP") != std::string::npos ? "bootstrap"
              : script.find("is_there") != std::string::npos   ? "system packages"
                                                               : "other";
    sink(record + "\n");
  }
  std::lock_guard lock(mutex_);
  scripts_.push_back(record);
  return outcome;
}

// `make -k`: a package is made if its stamp is missing or older than a normal dependency's; dependents of a
// failed package are not made.
RunOutcome BuildBench::make(FakeContainer& container, const std::vector<std::string>& wanted,
                            const OutputSink& sink, std::stop_token stop, std::string& record) {
  record += "make " + join(wanted, " ") + ":";
  std::set<PackageId> failed;
  GraphOptions known;
  if (auto found = container.files.find(std::string(kMakefile)); found != container.files.end()) {
    std::optional<ConfiguredPackages> configured = read_configured_makefile(found->second.content);
    if (configured)
      for (const std::string& name : configured->dummies)
        if (read_->packages.find(name)) known.dummies.insert(name);
  }
  DependencyGraph graph(read_->packages, read_->variables, known);
  for (PackageId id : graph.build_order(wanted)) {
    const std::string& name = read_->packages[id].name;
    auto needed = graph.normal_dependencies(id);
    auto needed_first = graph.order_only_dependencies(id);
    auto has_failed = [&](PackageId other) { return failed.contains(other); };
    if (std::any_of(needed.begin(), needed.end(), has_failed) ||
        std::any_of(needed_first.begin(), needed_first.end(), has_failed)) {
      failed.insert(id);
      continue;
    }
    // The version comes from the files in the container: a package whose files are not there is not built.
    auto version_file = container.files.find(fmt::format("/sage/build/pkgs/{}/package-version.txt", name));
    std::string version =
        version_file == container.files.end() ? "none" : std::string(trimmed(version_file->second.content));
    std::string stamp = fmt::format("{}{}-{}", kStamps, name, version);
    auto stamp_of = [&](PackageId other) {
      return written(container.files, fmt::format("{}{}-", kStamps, read_->packages[other].name));
    };
    auto is_newer = [&](PackageId other) { return stamp_of(other) > stamp_of(id); };
    if (container.files.contains(stamp) &&
        (passes_over.erase(name) > 0 || std::none_of(needed.begin(), needed.end(), is_newer)))
      continue;
    if (before) before(container, name, stop);
    if (stop.stop_requested()) {
      sink("interrupted\n");
      return {.exit_code = 143};
    }
    sink(name + "\n");
    if (auto said = says.find(name); said != says.end()) sink(said->second);
    record += " " + name;
    if (failing.contains(name)) {
      record += "!";
      failed.insert(id);
      continue;
    }
    erase_if(container.files,
             [&](const auto& file) { return file.first.starts_with(fmt::format("{}{}-", kStamps, name)); });
    if (leaves_nothing.contains(name)) continue;
    container.files[stamp] = {.content = fmt::format("PACKAGE NAME: {}\nNUMBER: {}", name, ++stamps_),
                              .time = static_cast<std::int64_t>(clock.now())};
  }
  return {.exit_code = failed.empty() ? 0 : 2};
}

std::string image_of_stage(const std::string& stage, const std::string& tag, const std::string& environment) {
  return fmt::format("sage-docker-{}-{}:{}", environment, stage, tag);
}

}  // namespace stagemake
