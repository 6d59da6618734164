#include "cli/commands/tox_command.h"

// `stagemake tox`: a tree's tox.ini calls it instead of writing a Dockerfile and running `docker build`.
// Variables and arguments have the same meaning as in those commands, and it leaves the same files in
// {envdir}: Dockerfile, Dockertags (a name per target; Dockertags.pushed for pushed ones), and the logs.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/files/output_file.h"
#include "base/files/tarball.h"
#include "base/process/callers_environment.h"
#include "base/text/text.h"
#include "cli/run_session.h"
#include "cli/session.h"
#include "emit/dockerfile.h"
#include "engine/copied_files.h"
#include "run/container/image_survey.h"
#include "snapshot/richer.h"

namespace stagemake {
namespace {

constexpr const char* kLogs = "logs";  // below the tree's root

// tox 3 and 4 set this variable for every command.
std::string told_by_tox(const char* name) {
  std::string value = callers_variable(name);
  if (value.empty())
    throw bad_input("", fmt::format("{} is not set: `stagemake tox` is for `commands` in a tree's tox.ini; "
                                    "on the command line, use `stagemake build ENV`",
                                    name));
  return value;
}

// The HOME of tox's caller: tox.ini changes it for commands, but the process of tox, above this one, still
// has it. Empty if /proc does not show it.
std::string home_above(const fs::path& envdir) {
  constexpr int kMostParents = 8;  // there may be a shell or a wrapper between tox and stagemake
  long process = ::getppid();
  for (int i = 0; i < kMostParents && process > 1; ++i) {
    fs::path folder = fmt::format("/proc/{}", process);
    try {
      std::string variables = read_file(folder / "environ").value_or("");
      for (std::string_view line : split(variables, '\0'))
        if (line.starts_with("HOME=/") && fs::path(std::string(line.substr(5))) != envdir)
          return std::string(line.substr(5));
      std::string facts = read_file(folder / "stat").value_or("");  // PID (NAME) STATE PARENT …
      std::vector<std::string_view> after =
          words(std::string_view(facts).substr(std::min(facts.size(), facts.rfind(')') + 1)));
      process = after.size() > 1 ? std::atol(std::string(after[1]).c_str()) : 0;
    } catch (const Error&) {
      return {};  // of another user's process
    }
  }
  return {};
}

// Restores the user's HOME. Trees' tox.ini make {envdir} the home folder, one for each environment; but the
// engine's context and images, git's settings, and stagemake's memory of a tree belong to the user.
void be_the_person(const fs::path& envdir) {
  if (std::string home = callers_variable("HOME"); home.empty() || fs::path(home) == envdir) {
    const ::passwd* person = ::getpwuid(::getuid());
    home = home_above(envdir);
    if (home.empty() && person != nullptr && person->pw_dir != nullptr) home = person->pw_dir;
    if (home.starts_with('/')) ::setenv("HOME", home.c_str(), 1);
  }
  std::string runtime = fmt::format("/run/user/{}", ::getuid());
  if (::access(runtime.c_str(), W_OK) == 0) ::setenv("XDG_RUNTIME_DIR", runtime.c_str(), 0);
}

// DOCKER_CONFIG_FILE: credentials for pushing, put where the engine's client looks for them.
void link_credentials(const fs::path& envdir) {
  std::string file = callers_variable("DOCKER_CONFIG_FILE");
  if (file.empty()) return;
  boost::system::error_code failed;
  fs::path real = fs::canonical(file, failed);
  if (failed) throw bad_input(file, "DOCKER_CONFIG_FILE: " + failed.message());
  fs::path folder = envdir / ".docker";
  fs::create_directories(folder, failed);
  fs::remove(folder / "config.json", failed);
  fs::create_symlink(real, folder / "config.json", failed);
  if (failed) throw engine_unusable(folder.string() + ": " + failed.message());
  ::setenv("DOCKER_CONFIG", folder.c_str(), 1);
  ::setenv("REGISTRY_AUTH_FILE", (folder / "config.json").c_str(), 1);  // the same for podman and buildah
}

Options options_for(const Options& asked, const fs::path& envdir) {
  Options options = asked;
  options.environments = {told_by_tox("TOX_ENV_NAME")};
  options.envdir = envdir.string();
  options.verbose = true;  // like `docker build`; scripts search tox's output
  std::string targets = join(asked.arguments, " ");
  std::string before = callers_variable("TARGETS_PRE");
  if (before.empty()) before = targets;
  if (!targets.empty()) options.given.try_emplace("TARGETS", targets);
  if (!before.empty()) options.given.try_emplace("TARGETS_PRE", before);
  return options;
}

// One run for each target, as tox.ini always did: its image is named and pushed before the next run begins,
// so that an early end loses none. With --no-cache, there is a single run, because the second target would
// start from scratch.
std::vector<Options> runs_for(const Options& options) {
  std::vector<Options> runs(options.fresh || options.to.empty() ? 1 : options.to.size(), options);
  if (runs.size() > 1)
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i].to = {options.to[i]};
  return runs;
}

// Finds errors before the first run that would otherwise end the last one.
void check_targets(const StageTable& table, const std::vector<std::string>& targets) {
  for (const std::string& target : targets) {
    if (table.find(target)) continue;
    std::vector<std::string> names;
    for (const StageSpec& stage : table.stages) names.push_back(stage.name);
    throw bad_input("DOCKER_TARGETS",
                    fmt::format("no stage is named {}; there are {}", printable(target), join(names, ", ")));
  }
}

// The names of the images that a run left, in the order of the targets up to the first failure.
using NamedImages = std::vector<std::vector<std::string>>;

bool has_richer(Session& session, const std::string& image, const std::string& wanted) {
  std::optional<ImageInfo> found = session.engine->find_image(image);
  std::optional<ImageInfo> named = session.engine->find_image(wanted);
  std::optional<Snapshot> ours = found ? snapshot_of(*found) : std::nullopt;
  std::optional<Snapshot> there = named ? snapshot_of(*named) : std::nullopt;
  return ours && there && is_richer(session.builds.front().plan, session.graphs, *there, *ours);
}

// A failed build gets the name of the wanted target, whichever stage failed, because scripts continue from
// that name. The stage also keeps its own name. If the name belongs to an image with more finished work, that
// image keeps it.
std::vector<std::string> name_failed(Session& session, const std::string& image, const std::string& wanted,
                                     OutputQueue& out) {
  if (image != wanted && !has_richer(session, image, wanted)) {
    session.engine->tag(image, wanted);
    out.add(fmt::format("{} is also named {}\n", image, wanted));
  }
  return {wanted};
}

NamedImages name_images(Session& session, const Options& options, const BuildOutcome& outcome,
                        OutputQueue& out) {
  const EnvironmentStatus& status = outcome.result->environments.front();
  NamedImages images;
  for (const std::string& target : options.to) {
    const StageStatus& stage = status.stages[*session.tree.table.find(target)];
    std::string name = image_name(session.tree.table, options.repository, status.name, target) + ":";
    if (stage.state == StageState::Built || stage.state == StageState::Reused) {
      std::vector<std::string> names;
      for (const std::string& tag : session.world.tags) names.push_back(name + tag);
      images.push_back(std::move(names));
      continue;
    }
    for (const StageStatus& bad : status.stages)
      if ((bad.state == StageState::Failed || bad.state == StageState::Interrupted) && !bad.image.empty()) {
        std::string wanted = name + session.world.tags.front() + "-failed";
        images.push_back(outcome.signal == 0 ? name_failed(session, bad.image, wanted, out)
                                             : std::vector<std::string>{bad.image});
        break;
      }
    break;
  }
  return images;
}

// Prints the messages of a push.
class PushNotes : public Reporter {
 public:
  explicit PushNotes(OutputQueue& out) : out_(out) {}
  void begins(const std::vector<EnvironmentStatus>&) override {}
  void changed(const std::vector<EnvironmentStatus>&, StageAddress) override {}
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override {}
  void note(const std::string& text) override { out_.add(printable(text) + "\n"); }

 private:
  OutputQueue& out_;
};

// Failed pushes are reported but are not errors, as always with tox.ini.
void push(Session& session, const Options& options, const NamedImages& images, const fs::path& envdir,
          OutputQueue& out) {
  constexpr unsigned kTries = 3;
  PushNotes notes(out);
  PushOptions how{.tries = kTries,
                  .keeps = [&](const std::string& name, const std::stop_token&) -> std::string {
                    std::optional<ImageInfo> image = session.engine->find_image(name);
                    std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
                    if (!snapshot || options.push_fetched) return {};
                    Origins origins(session.state.origins());
                    origins.judge(*snapshot, session.world.trusted);
                    return reason_not_to_push(*snapshot, origins, name);
                  }};
  sign_pushes(how, session, *session.engine, options);
  for (const std::vector<std::string>& names : images)
    for (const std::string& name : names) {
      notes.note("pushing " + name);
      PushQueue queue(*session.engine, session.world.clock, session.journal, notes, how);
      queue.add({name}, 0);
      for (const std::string& pushed : queue.finish().pushed)
        append_line(envdir / "Dockertags.pushed", pushed);
    }
}

// Copies the stages' own logs to the tree's: tox 4 empties {envdir}/log when a command has ended.
void bring_stage_logs(const EnvironmentStatus& status, const fs::path& folder) {
  fs::create_directories(folder);
  for (std::size_t i = 0; i < status.stages.size(); ++i)
    if (const std::string& log = status.stages[i].log; !log.empty() && fs::exists(log))
      fs::copy_file(log, folder / ("stagemake-" + status.stage_names[i] + ".log"),
                    fs::copy_options::overwrite_existing);
}

// Copies the tree's logs and installation records from an image. The build is just as good without them.
void bring_records(Session& session, const std::string& image, const fs::path& envdir, OutputQueue& err) {
  const StageTable& table = session.tree.table;
  std::vector<std::string> wanted = table.stamp_folders;
  wanted.emplace_back(kLogs);
  fs::path folder = envdir / fs::path(table.root).filename();
  std::string container = fmt::format("stagemake-logs-{}-{}", session.environments.front().name, ::getpid());
  try {
    session.engine->create({.name = container, .image = image});
    for (const std::string& path : wanted)
      read_copied(*session.engine, container, table.root + "/" + path,
                  [&](int descriptor) { unpack_tar(descriptor, folder / fs::path(path).parent_path()); });
  } catch (const std::exception& error) {
    err.add(fmt::format("stagemake: the logs in {} could not be copied out: {}\n", image,
                        printable(error.what())));
  }
  session.engine->remove_container(container);
}

// Does what tox.ini did after `docker build`, successful or not. After a signal, there is only time to report
// what was saved.
void leave_traces(Session& session, const Options& options, const BuildOutcome& outcome,
                  const fs::path& envdir, StandardStreams& streams) {
  bring_stage_logs(outcome.result->environments.front(),
                   envdir / fs::path(session.tree.table.root).filename() / kLogs);
  NamedImages images = name_images(session, options, outcome, streams.out);
  for (const std::vector<std::string>& names : images) append_line(envdir / "Dockertags", names.front());
  if (outcome.signal != 0 || images.empty()) return;
  bring_records(session, images.back().front(), envdir, streams.err);
  if (!options.repository.empty()) push(session, options, images, envdir, streams.out);
}

int run_for(Options options, const std::vector<std::string>& all_targets, const fs::path& envdir,
            StandardStreams& streams) {
  Session session(options);
  StageTable& table = session.tree.table;
  check_targets(table, all_targets);
  if (options.to.empty()) options.to = {table.default_stage};
  write_output(envdir / "Dockerfile",
               dockerfile(table, session.environments.front(), build_context(session.tree.path)));
  BuildOutcome outcome = run_session(session, options, streams);
  if (!outcome.result) return outcome.exit_status();
  try {
    leave_traces(session, options, outcome, envdir, streams);
  } catch (const std::exception& error) {
    // A Dockertags without the image would mislead scripts, so this is a failure, even if everything is
    // built.
    streams.err.add(fmt::format("stagemake: {}\n", printable(error.what())));
    int status = outcome.exit_status();
    return status != 0 ? status : static_cast<int>(ExitStatus::EngineUnusable);
  }
  return outcome.exit_status();
}

}  // namespace

int tox_command(const Options& asked) {
  fs::path envdir = told_by_tox("TOX_ENV_DIR");
  boost::system::error_code failed;
  fs::create_directories(envdir, failed);
  if (failed) throw engine_unusable(envdir.string() + ": " + failed.message());
  be_the_person(envdir);
  link_credentials(envdir);
  Options options = options_for(asked, envdir);
  StandardStreams streams;
  int status = 0;
  for (const Options& run : runs_for(options))
    if (status == 0) status = run_for(run, options.to, envdir, streams);
  return streams.finish(status);
}

}  // namespace stagemake
