#include "cli/commands/inside_commands.h"

// Commands that look into containers and images: a shell, and a package's log.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/process/foreground.h"
#include "base/process/standard_streams.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/inspection.h"
#include "cli/kept_run.h"
#include "cli/log_output.h"
#include "cli/package_log.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "run/build/build.h"
#include "run/container/build_container.h"
#include "run/control/signals.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

constexpr int kNoLog = 44;  // exit status of the script below if there is no log

// On a busy machine, `buildah run`, which copies the output of its command, may end without the last bytes.
// If possible, the script writes around it, as recipes do (engine/script_input.h).
constexpr int kPastTheRelay = 9;
const std::string kPast = fmt::format("( : >&{0} ) 2> /dev/null && exec >&{0}\n", kPastTheRelay);

// An interactive shell, or one that reads commands from a pipe or a file.
std::vector<std::string> shell_of(bool terminal) {
  return {"/bin/sh", "-c", (terminal ? "" : kPast) + "command -v bash >/dev/null && exec bash; exec sh"};
}

// A command that gets no terminal.
std::vector<std::string> run_of(const std::vector<std::string>& command) {
  std::vector<std::string> argv{"/bin/sh", "-c", kPast + "exec \"$@\"", "sh"};
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

// The container in which a stage is running; empty if there is none. A container's name contains the stage
// with which it began; later stages may run in it too.
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

// The newest image of a stage; else the newest that contains it together with later stages.
const Snapshot* image_of(const std::vector<Snapshot>& snapshots, const std::string& stage) {
  auto found = std::find_if(snapshots.begin(), snapshots.end(), [&](const Snapshot& snapshot) {
    return stage.empty() || snapshot.stage == stage;
  });
  if (found == snapshots.end())
    found = std::find_if(snapshots.begin(), snapshots.end(),
                         [&](const Snapshot& snapshot) { return snapshot.holds(stage) != nullptr; });
  return found == snapshots.end() ? nullptr : &*found;
}

const Snapshot& image_or_error(const Options& options, const Tree& tree,
                               const std::vector<Snapshot>& snapshots, const std::string& stage) {
  if (const Snapshot* image = image_of(snapshots, stage)) return *image;
  if (snapshots.empty()) check_names(options, tree, {});
  throw bad_input("",
                  fmt::format("there is no image of {}{}; build it first, or look at `stagemake snapshots`",
                              printable(options.environments.front()), stage.empty() ? "" : " " + stage));
}

// The newest of the package's logs, because versions change.
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

// A container to look into an image; it is removed at the end in any case.
class Look {
 public:
  Look(ContainerEngine& engine, const char* what)
      : engine_(engine), name_(fmt::format("stagemake-{}-{}", what, ::getpid())) {}
  ~Look() {
    try {
      engine_.remove_container(name_);
    } catch (const Error&) {
      // The engine is gone; the error of the look itself reports that.
    }
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  const std::string& name() const { return name_; }

 private:
  ContainerEngine& engine_;
  std::string name_;
};

// Runs the script in a new container of the image.
int run_in_image(ContainerEngine& engine, const Snapshot& image, const std::string& script,
                 const OutputSink& sink) {
  SignalWatch signals;
  Look look(engine, "look");
  // The script calls programs of the image, which are not trusted.
  Network network = engine.network_gap(Network::None).empty() ? Network::None : Network::Default;
  engine.create({.name = look.name(), .image = image.image, .network = network});
  RunOutcome outcome = engine.run(look.name(), script, sink, {.stop = signals.token(), .grace = {}});
  return signals.first() != 0 ? 128 + signals.first() : outcome.exit_code;
}

// Runs a shell or a command in a new container and returns its exit status.
int shell_in_image(ContainerEngine& engine, const Snapshot& image, const std::vector<std::string>& argv,
                   bool terminal) {
  Foreground foreground;
  Look look(engine, "shell");
  std::vector<std::string> command =
      engine.open_shell({.name = look.name(), .image = image.image}, argv, terminal);
  return foreground.run(
      command, [&] { engine.remove_container(look.name()); }, terminal ? 0 : kPastTheRelay);
}

}  // namespace

int shell_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Images);
  check_no_stage(tree.table, options.environments.front());
  if (!options.stage.empty()) stage_named(tree.table, options.stage);
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  std::string environment = environment_name(options.environments.front());
  bool terminal = options.arguments.empty() && ::isatty(STDIN_FILENO) == 1;
  std::vector<std::string> argv = options.arguments.empty() ? shell_of(terminal) : run_of(options.arguments);
  if (std::string running = running_container(*engine, environment, options.stage);
      !running.empty() && runs_now(options, environment, options.stage)) {
    std::vector<std::string> command = engine->command_inside(running, argv, terminal);
    if (options.dry_run) {
      show("{}\n", shell_quoted(command));
      return 0;
    }
    say(running + " (running; what you change there is part of what is built)");
    return Foreground().run(
        command, [] {}, terminal ? 0 : kPastTheRelay);
  }
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  const Snapshot& image = image_or_error(options, tree, snapshots, options.stage);
  if (options.dry_run && !options.arguments.empty()) {
    show("would run `{}` in {}\n", shell_quoted(options.arguments), display_name(image));
    return 0;
  }
  if (options.dry_run) {
    show("{}\n",
         shell_quoted(engine->shell_command(image.names.empty() ? image.image : image.names.front())));
    return 0;
  }
  say(fmt::format("{} ({})", display_name(image), image.complete ? "complete" : "unfinished"));
  return shell_in_image(*engine, image, argv, terminal);
}

int package_log(const Options& options, const std::string& environment, const std::string& stage) {
  Tree tree = open_tree(options, TreeCheck::Images);
  stage_named(tree.table, stage);
  if (tree.table.package_logs.empty())
    throw bad_input(tree.table.origin,
                    "the stage table names no folder with the packages' logs (`package_logs`); without "
                    "PACKAGE, the log of the whole stage is shown");
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  std::string script = log_script(tree.table, options.package);
  LogOutput output(log_form(), print);
  auto take = [&](std::string_view piece) { output.take(piece); };
  int status = kNoLog;
  if (std::string running = running_container(*engine, environment, stage);
      !running.empty() && runs_now(options, environment, stage)) {
    Command inside{.argv = engine->command_inside(running, {"/bin/sh", "-c", kPast + script}, false)};
    inside.output_again = kPastTheRelay;
    inside.on_output = take;
    status = run_command(inside).exit_code;
  } else {
    std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
    status = run_in_image(*engine, image_or_error(options, tree, snapshots, stage), script, take);
  }
  output.end();
  if (status > 128) return status;  // ctrl-C
  if (status == kNoLog) {
    std::vector<std::string> near;
    if (!tree.packages.find(options.package)) near = nearest(options.package, tree.packages.names());
    throw bad_input(
        "", fmt::format("{} {} has no log of a package {}{}", environment, stage, printable(options.package),
                        near.empty() ? "" : "; did you mean " + join(near, " or ") + "?"));
  }
  return status == 0 ? 0 : static_cast<int>(ExitStatus::EngineUnusable);
}

}  // namespace stagemake
