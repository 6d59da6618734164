#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/tree.h"
#include "report/plain_reporter.h"
#include "run/adoption.h"
#include "run/build.h"
#include "run/signals.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

// git needs 0.6 s to describe Sage (20,000 commits since the last tag): it does so beside everything else.
class Describing {
 public:
  explicit Describing(const fs::path& tree)
      : revision_(std::async(std::launch::async, git_revision, tree, stop_.get_token())) {}
  ~Describing() { stop_.request_stop(); }  // who ends early, over a bad option, does not wait for git
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;
  std::string get() { return revision_.get(); }

 private:
  std::stop_source stop_;
  std::future<std::string> revision_;
};

// What `build` and `explain` have in common: the tree, the engine, the environments and what exists of them.
struct Session {
  explicit Session(const Options& options)
      : describing(tree_path(options)),
        tree(open_tree(options)),
        environments(resolve_environments(options, tree)),
        engine(open_engine(options.engine)),
        state(options.state, tree.path),
        sources(tree.path, state.source_ids(), std::time(nullptr)),
        world{.engine = *engine,
              .state = state,
              .packages = tree.packages,
              .variables = tree.variables,
              .table = tree.table,
              .sources = sources,
              .repository = options.repository} {}

  // From here on images can be named. As late as possible: it waits for git.
  void settle_tags(const Options& options) {
    if (!world.tags.empty()) return;
    world.revision = describing.get();
    world.tags = {options.tag.value_or(tag_of(world.revision))};
    for (const std::string& tag : options.extra_tags)
      if (std::find(world.tags.begin(), world.tags.end(), tag) == world.tags.end()) world.tags.push_back(tag);
  }

  void look(const Options& options) {
    std::vector<std::string> targets = options.to;
    if (targets.empty()) targets = {tree.table.default_stage};
    snapshots = find_snapshots(*engine, tree.table);
    for (const Environment& environment : environments)
      builds.push_back(prepare(world, environment, targets, snapshots, options.fresh));
    sources.save_cache();
  }

  std::vector<StageExplanation> explain(const EnvironmentBuild& build) {
    auto manifests = [this](const std::string& digest) { return state.manifest(digest); };
    return stagemake::explain(build.plan, tree.packages, build.decisions, sources, manifests,
                              std::time(nullptr));
  }

  Describing describing;
  Tree tree;
  std::vector<Environment> environments;
  std::unique_ptr<ContainerEngine> engine;
  StateFolder state;
  SourceTree sources;
  BuildWorld world;
  std::vector<Snapshot> snapshots;
  std::vector<EnvironmentBuild> builds;
};

void print_explanations(Session& session, bool with_reasons) {
  for (const EnvironmentBuild& build : session.builds) {
    fmt::print("{} with {}\n", build.plan.environment.name, session.engine->name());
    std::size_t width = 0;
    for (const PlannedStage& stage : build.plan.stages) width = std::max(width, stage.name.size());
    for (const StageExplanation& stage : session.explain(build)) {
      fmt::print("  {:<{}}  {:<5}  {}\n", stage.stage, width, stage.action, stage.headline);
      if (with_reasons)
        for (const std::string& reason : stage.reasons)
          fmt::print("  {:<{}}         {}\n", "", width, reason);
    }
  }
}

ordered_json explanations_json(Session& session) {
  ordered_json environments = ordered_json::array();
  for (const EnvironmentBuild& build : session.builds)
    environments.push_back(
        {{"name", build.plan.environment.name}, {"stages", ordered_json(to_json(session.explain(build)))}});
  return {{"schema", 1}, {"engine", session.engine->name()}, {"environments", environments}};
}

std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace);
}

void print_forecast(Session& session, const Options& options) {
  if (options.json)
    fmt::print("{}\n", dumped(explanations_json(session)));
  else
    print_explanations(session, options.verb == Verb::Explain);
}

ordered_json result_json(const BuildResult& result) {
  ordered_json environments = ordered_json::array();
  for (const EnvironmentStatus& environment : result.environments) {
    ordered_json stages = ordered_json::array();
    for (std::size_t i = 0; i < environment.stages.size(); ++i) {
      const StageStatus& stage = environment.stages[i];
      stages.push_back({{"name", environment.stage_names[i]},
                        {"state", word(stage.state)},
                        {"seconds", stage.seconds},
                        {"image", stage.image},
                        {"log", stage.log},
                        {"detail", stage.detail}});
    }
    environments.push_back({{"name", environment.name}, {"stages", stages}});
  }
  return {{"schema", 1}, {"environments", environments}};
}

// `stagemake shell …` as this command's user can say it here.
std::string shell_words(const Options& options, const std::string& engine, const std::string& environment,
                        const std::string& stage) {
  std::vector<std::string> command = {"stagemake", "shell", environment, stage};
  auto add = [&](const char* option, const std::string& value) {
    command.emplace_back(option);
    command.push_back(value);
  };
  if (options.engine_given) add("--engine", engine);
  if (options.tree) add("--tree", options.tree->string());
  if (options.stages) add("--stages", options.stages->string());
  return shell_quoted(command);
}

PlainReporterOptions reporter_options(const Options& options, const std::string& engine) {
  PlainReporterOptions reporter;
  reporter.out = options.json ? stderr : stdout;
  int descriptor = ::fileno(reporter.out);
  const char* term = std::getenv("TERM");
  const char* no_color = std::getenv("NO_COLOR");
  bool is_terminal = ::isatty(descriptor) == 1;
  reporter.terminal =
      is_terminal && term != nullptr && std::string_view(term) != "dumb" && std::getenv("CI") == nullptr;
  reporter.color = options.color == "always" || (options.color == "auto" && reporter.terminal &&
                                                 (no_color == nullptr || *no_color == '\0'));
  reporter.quiet = options.quiet;
  winsize size{};
  if (is_terminal && ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    reporter.columns = size.ws_col;
  reporter.shell_command = [&options, engine](const std::string& environment, const std::string& stage) {
    return shell_words(options, engine, environment, stage);
  };
  return reporter;
}

// One driver at a time works on an environment of a tree. A second one waits, and says for whom.
std::vector<FileLock> lock_environments(const Session& session, const std::stop_token& stop,
                                        Reporter& reporter) {
  std::vector<std::string> names;
  for (const Environment& environment : session.environments) names.push_back(environment.name);
  std::sort(names.begin(), names.end());  // the same order everywhere: no two drivers wait for each other
  std::vector<FileLock> locks;
  for (const std::string& name : names) {
    fs::path file = session.state.environment_lock(name);
    bool told = false;
    while (!stop.stop_requested()) {
      if (std::optional<FileLock> lock = FileLock::try_take(file)) {
        locks.push_back(std::move(*lock));
        break;
      }
      if (!std::exchange(told, true))
        reporter.note(fmt::format("{}: waiting for {}, which builds it", name, FileLock::holder(file)));
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  return locks;
}

void print_calls(const ContainerEngine& engine) {
  std::vector<std::string> calls;
  for (const auto& [verb, count] : engine.calls()) calls.push_back(fmt::format("{} {}", count, verb));
  fmt::print("engine calls: {}\n", calls.empty() ? "none" : join(calls, ", "));
}

int exit_status(const BuildResult& result, int signal) {
  if (signal != 0) return 128 + signal;
  if (result.engine_failed) return static_cast<int>(ExitStatus::EngineUnusable);
  return static_cast<int>(result.all_well() ? ExitStatus::Ok : ExitStatus::StageFailed);
}

}  // namespace

int build_command(const Options& options) {
  Session session(options);
  if (options.dry_run) {
    session.look(options);
    print_forecast(session, options);
    return 0;
  }
  ::signal(SIGPIPE, SIG_IGN);  // whoever read our lines may go; the build goes on
  PlainReporter reporter(reporter_options(options, session.engine->name()));
  SignalWatch signals([&](int number, unsigned count) {
    reporter.note(count == 1 ? fmt::format("got {}: ending what runs and saving it; this takes up to 10 s",
                                           number == SIGINT ? "ctrl-C" : "a signal")
                             : "still saving what was done");
  });
  std::vector<FileLock> locks = lock_environments(session, signals.token(), reporter);
  if (signals.first() != 0) return 128 + signals.first();
  for (const Environment& environment : session.environments) {
    if (left_containers(session.world, environment.name).empty()) continue;
    session.settle_tags(options);
    adopt_containers(session.world, environment.name, reporter);
  }
  session.look(options);
  session.settle_tags(options);
  BuildResult result = run_builds(
      session.world, session.builds,
      {.keep_going = options.keep_going, .at_once = options.at_once, .stop = signals.token()}, reporter);
  if (options.json) fmt::print("{}\n", dumped(result_json(result)));
  if (options.count_calls) print_calls(*session.engine);
  return exit_status(result, signals.first());
}

int explain_command(const Options& options) {
  Session session(options);
  session.look(options);
  print_forecast(session, options);
  return 0;
}

}  // namespace stagemake
