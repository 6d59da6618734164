// Commands that look into containers and images: a shell, a package's log.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/foreground.h"
#include "base/standard_streams.h"
#include "base/subprocess.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/engine_choice.h"
#include "cli/kept_run.h"
#include "cli/log_output.h"
#include "cli/package_log.h"
#include "cli/tree.h"
#include "cli/wanted_snapshots.h"
#include "plan/explanation.h"
#include "run/build.h"
#include "run/signals.h"
#include "run/workplace.h"

namespace stagemake {
namespace {

constexpr int kNoLog = 44;  // how the script below ends where there is none

// `buildah run` copies the output of what runs, and ends without its last bytes on a busy machine: where the
// script can, it writes past that, as recipes do (engine/script_input.h).
constexpr int kPastTheRelay = 9;
const std::string kPast = fmt::format("( : >&{0} ) 2> /dev/null && exec >&{0}\n", kPastTheRelay);

// A person's shell, or one that reads commands from a pipe or a file.
std::vector<std::string> shell_of(bool terminal) {
  return {"/bin/sh", "-c", (terminal ? "" : kPast) + "command -v bash >/dev/null && exec bash; exec sh"};
}

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
                  fmt::format("there is no image of {}{}; build it first, or look at `stagemake snapshots`",
                              printable(options.environments.front()), stage.empty() ? "" : " " + stage));
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

// A container for a look into an image; it goes when the look ends, however that ends.
class Look {
 public:
  Look(ContainerEngine& engine, const char* what)
      : engine_(engine), name_(fmt::format("stagemake-{}-{}", what, ::getpid())) {}
  ~Look() {
    try {
      engine_.remove_container(name_);
    } catch (const Error&) {
      // The engine is gone, which the look's own error says.
    }
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  const std::string& name() const { return name_; }

 private:
  ContainerEngine& engine_;
  std::string name_;
};

// Runs the script in a container of its own, made from the image.
int run_in_image(ContainerEngine& engine, const Snapshot& image, const std::string& script,
                 const OutputSink& sink) {
  SignalWatch signals;
  Look look(engine, "look");
  // The script and the programs that it calls are the image's.
  Network network = engine.network_gap(Network::None).empty() ? Network::None : Network::Default;
  engine.create({.name = look.name(), .image = image.image, .network = network});
  RunOutcome outcome = engine.run(look.name(), script, sink, {.stop = signals.token(), .grace = {}});
  return signals.first() != 0 ? 128 + signals.first() : outcome.exit_code;
}

// A shell in a container of its own. Its exit status is the shell's.
int shell_in_image(ContainerEngine& engine, const Snapshot& image, bool terminal) {
  Foreground foreground;
  Look look(engine, "shell");
  std::vector<std::string> command =
      engine.open_shell({.name = look.name(), .image = image.image}, shell_of(terminal), terminal);
  return foreground.run(
      command, [&] { engine.remove_container(look.name()); }, terminal ? 0 : kPastTheRelay);
}

}  // namespace

int shell_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Images);
  check_stage(tree, options.stage);
  std::unique_ptr<ContainerEngine> engine = choose_engine(options, StateFolder(options.state, tree.path));
  std::string environment = environment_name(options.environments.front());
  bool terminal = ::isatty(STDIN_FILENO) == 1;
  if (std::string running = running_container(*engine, environment, options.stage);
      !running.empty() && runs_now(options, environment, options.stage)) {
    std::vector<std::string> command = engine->command_inside(running, shell_of(terminal), terminal);
    if (options.dry_run) {
      show("{}\n", shell_quoted(command));
      return 0;
    }
    say(running + " (running; what you change there is part of what is built)");
    return Foreground().run(
        command, [] {}, terminal ? 0 : kPastTheRelay);
  }
  std::vector<Snapshot> snapshots = wanted_snapshots(options, *engine, tree.table);
  const Snapshot& image = image_or_error(options, snapshots, options.stage);
  if (options.dry_run) {
    show("{}\n",
         shell_quoted(engine->shell_command(image.names.empty() ? image.image : image.names.front())));
    return 0;
  }
  say(fmt::format("{} ({})", display_name(image), image.complete ? "complete" : "unfinished"));
  return shell_in_image(*engine, image, terminal);
}

int package_log(const Options& options, const std::string& environment, const std::string& stage) {
  Tree tree = open_tree(options, TreeCheck::Images);
  check_stage(tree, stage);
  if (tree.table.package_logs.empty())
    throw bad_input(tree.table.origin,
                    "the table of stages says of no folder that packages' logs are in it "
                    "(`package_logs`); without PACKAGE the whole stage's log is shown");
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
    status = run_in_image(*engine, image_or_error(options, snapshots, stage), script, take);
  }
  output.end();
  if (status > 128) return status;  // ctrl-C
  if (status == kNoLog)
    throw bad_input(
        "", fmt::format("{} {} has no log of a package {}", environment, stage, printable(options.package)));
  return status == 0 ? 0 : static_cast<int>(ExitStatus::EngineUnusable);
}

}  // namespace stagemake
