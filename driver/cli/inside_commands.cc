// Commands that look into containers and images: a shell, a package's log.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/standard_streams.h"
#include "base/subprocess.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/kept_run.h"
#include "cli/package_log.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "plan/explanation.h"
#include "run/build.h"
#include "run/workplace.h"

namespace stagemake {
namespace {

constexpr int kNoLog = 44;  // how the script below ends where there is none

const std::vector<std::string> kShell = {"/bin/sh", "-c", "command -v bash >/dev/null && exec bash; exec sh"};

void check_stage(const Tree& tree, const std::string& stage) {
  if (stage.empty() || tree.table.find(stage)) return;
  std::vector<std::string> names;
  for (const StageSpec& one : tree.table.stages) names.push_back(one.name);
  throw bad_input("", fmt::format("no stage is named {}; there are {}", printable(stage), join(names, ", ")));
}

// The container in which a stage runs now; empty where none does. A container's name says with which stage it
// began; later ones may run in it as well.
std::string running_container(ContainerEngine& engine, const std::string& environment,
                              const std::string& stage) {
  std::string any;
  for (const ContainerInfo& container : engine.list_containers(std::string(kEnvironmentLabel), environment)) {
    std::string prefix = container_prefix(environment);
    if (!container.running || !container.name.starts_with(prefix)) continue;
    if (!stage.empty() && container.name.starts_with(prefix + stage + "-")) return container.name;
    any = container.name;
  }
  return any;
}

// The newest image of a stage; else the newest that holds it along with later ones.
const Snapshot* image_of(const std::vector<Snapshot>& snapshots, const std::string& stage) {
  auto found = std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot& snapshot) {
    return stage.empty() || snapshot.stage == stage;
  });
  if (found == snapshots.end())
    found = std::find_if(snapshots.begin(), snapshots.end(),
                         [&](const Snapshot& snapshot) { return snapshot.holds(stage) != nullptr; });
  return found == snapshots.end() ? nullptr : &*found;
}

const Snapshot& image_or_error(const Options& options, const std::vector<Snapshot>& snapshots,
                               const std::string& stage) {
  if (const Snapshot* image = image_of(snapshots, stage)) return *image;
  throw bad_input("",
                  fmt::format("there is no image of {} {}; build it first, or look at `stagemake snapshots`",
                              printable(options.environments.front()), stage));
}

[[noreturn]] void become(std::vector<std::string> command) {
  std::fflush(stdout);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  throw engine_unusable(fmt::format("{}: cannot be started: {}", command[0], std::strerror(errno)));
}

// The youngest of the package's logs: versions come and go.
std::string log_script(const StageTable& table, const std::string& package) {
  std::string name = shell_quoted(package);
  return fmt::format(
      "cd {} 2>/dev/null || exit {}\n"
      "log=$(ls -t -- {}-*.log {}.log 2>/dev/null | head -n 1)\n"
      "[ -n \"$log\" ] || exit {}\n"
      "cat -- \"$log\"\n",
      shell_quoted(table.root + "/" + table.package_logs), kNoLog, name, name, kNoLog);
}

void print(std::string_view piece) {
  std::fwrite(piece.data(), 1, piece.size(), stdout);
}

// Runs the script in a container of its own, made from the image.
int run_in_image(ContainerEngine& engine, const Snapshot& image, const std::string& script) {
  std::string container = fmt::format("stagemake-look-{}", ::getpid());
  engine.create({.name = container, .image = image.image});
  struct Removing {
    ContainerEngine& engine;
    const std::string& container;
    ~Removing() {
      try {
        engine.remove_container(container);
      } catch (const Error&) {
        // The engine is gone, which was told.
      }
    }
  } removing{engine, container};
  return engine.run(container, script, print, {}).exit_code;
}

}  // namespace

int shell_command(const Options& options) {
  Tree tree = open_tree(options);
  check_stage(tree, options.stage);
  std::unique_ptr<ContainerEngine> engine = open_engine(options.engine);
  std::string environment = environment_name(options.environments.front());
  std::vector<std::string> command;
  std::string what;
  if (std::string running = running_container(*engine, environment, options.stage);
      !running.empty() && runs_now(options, environment, options.stage)) {
    command = engine->command_inside(running, kShell, true);
    what = running + " (running; what you change there is part of what is built)";
  } else {
    std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
    const Snapshot& image = image_or_error(options, snapshots, options.stage);
    command = engine->shell_command(image.names.empty() ? image.image : image.names.front());
    what = fmt::format("{} ({})", display_name(image), image.complete ? "complete" : "unfinished");
  }
  if (options.dry_run) {
    fmt::print("{}\n", shell_quoted(command));
    return 0;
  }
  say(what);
  become(std::move(command));
}

int package_log(const Options& options, const std::string& environment, const std::string& stage) {
  Tree tree = open_tree(options);
  check_stage(tree, stage);
  if (tree.table.package_logs.empty())
    throw bad_input(tree.table.origin,
                    "the table of stages says of no folder that packages' logs are in it "
                    "(`package_logs`); without PACKAGE the whole stage's log is shown");
  std::unique_ptr<ContainerEngine> engine = open_engine(options.engine);
  std::string script = log_script(tree.table, options.package);
  int status = kNoLog;
  if (std::string running = running_container(*engine, environment, stage);
      !running.empty() && runs_now(options, environment, stage)) {
    // `buildah run` copies the output of what runs, and ends without its last bytes on a busy machine: where
    // the script can, it writes past that, as recipes do (engine/script_input.h).
    constexpr int kPastTheRelay = 9;
    std::string past = fmt::format("( : >&{0} ) 2> /dev/null && exec >&{0}\n", kPastTheRelay);
    Command inside{.argv = engine->command_inside(running, {"/bin/sh", "-c", past + script}, false)};
    inside.output_again = kPastTheRelay;
    inside.on_output = print;
    status = run_command(inside).exit_code;
  } else {
    std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
    status = run_in_image(*engine, image_or_error(options, snapshots, stage), script);
  }
  if (status == kNoLog)
    throw bad_input(
        "", fmt::format("{} {} has no log of a package {}", environment, stage, printable(options.package)));
  return status == 0 ? 0 : static_cast<int>(ExitStatus::EngineUnusable);
}

}  // namespace stagemake
