// `stagemake tox`: what a tree's tox.ini calls instead of writing a Dockerfile and running `docker build`. It
// means by its variables and arguments what those commands meant, and leaves in {envdir} what they left:
// Dockerfile, Dockertags (a name per target; Dockertags.pushed of those that were pushed), the logs.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/tarball.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "emit/dockerfile.h"

namespace stagemake {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// tox 3 and 4 say so to every command they run.
std::string told_by_tox(const char* name) {
  std::string value = variable(name);
  if (value.empty())
    throw bad_input(
        "", fmt::format("{} is not set: `stagemake tox` is for `commands` in a tree's tox.ini; by hand, "
                        "say `stagemake build ENV`",
                        name));
  return value;
}

// Sage 9.8's tox.ini makes {envdir} the home folder, one for each environment; what stagemake remembers of a
// tree belongs to the person.
std::optional<fs::path> state_folder() {
  if (!variable("STAGEMAKE_STATE").empty() || !variable("XDG_STATE_HOME").empty()) return std::nullopt;
  const ::passwd* person = ::getpwuid(::getuid());
  if (person == nullptr || person->pw_dir == nullptr || *person->pw_dir != '/') return std::nullopt;
  return fs::path(person->pw_dir) / ".local/state/stagemake";
}

// DOCKER_CONFIG_FILE: credentials for pushing, where the engine's client looks for them.
void link_credentials(const fs::path& envdir) {
  std::string file = variable("DOCKER_CONFIG_FILE");
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
}

Options options_for(const Options& asked, const fs::path& envdir) {
  Options options = asked;
  options.environments = {told_by_tox("TOX_ENV_NAME")};
  options.envdir = envdir.string();
  if (!options.state) options.state = state_folder();
  std::string targets = join(asked.arguments, " ");
  std::string before = variable("TARGETS_PRE");
  if (before.empty()) before = targets;
  if (!targets.empty()) options.given.try_emplace("TARGETS", targets);
  if (!before.empty()) options.given.try_emplace("TARGETS_PRE", before);
  return options;
}

// What was made of one environment: names of images, in the order of the targets, up to the first failure.
struct MadeImage {
  std::vector<std::string> names;  // the build's own tag first
  bool complete = true;
};

std::vector<MadeImage> made_images(const Session& session, const Options& options,
                                   const BuildResult& result) {
  const EnvironmentStatus& status = result.environments.front();
  std::vector<std::string> targets = options.to;
  if (targets.empty()) targets = {session.tree.table.default_stage};
  std::vector<MadeImage> made;
  for (const std::string& target : targets) {
    std::size_t at = *session.tree.table.find(target);
    StageState state = status.stages[at].state;
    if (state != StageState::Built && state != StageState::Reused) break;
    MadeImage image;
    for (const std::string& tag : session.world.tags)
      image.names.push_back(image_name(session.tree.table, options.repository, status.name, target) + ":" +
                            tag);
    made.push_back(std::move(image));
  }
  for (const StageStatus& stage : status.stages)
    if ((stage.state == StageState::Failed || stage.state == StageState::Interrupted) && !stage.image.empty())
      made.push_back({.names = {stage.image}, .complete = false});
  return made;
}

void push(ContainerEngine& engine, const std::vector<MadeImage>& made, const fs::path& envdir) {
  for (const MadeImage& image : made)
    for (const std::string& name : image.names) {
      fmt::print("pushing {}\n", name);
      std::fflush(stdout);
      std::string why;
      if (engine.push(name, why))
        append_line(envdir / "Dockertags.pushed", name);
      else
        fmt::print("could not be pushed, and that is ignored: {}\n", printable(why));
    }
}

// The stages' own logs beside tox's, and the tree's logs and installation records out of the newest image.
void bring_logs(Session& session, const std::vector<MadeImage>& made, const BuildResult& result,
                const fs::path& envdir) {
  const EnvironmentStatus& status = result.environments.front();
  boost::system::error_code failed;
  fs::create_directories(envdir / "log", failed);
  for (std::size_t i = 0; i < status.stages.size(); ++i)
    if (const std::string& log = status.stages[i].log; !log.empty())
      fs::copy_file(log, envdir / "log" / ("stagemake-" + status.stage_names[i] + ".log"),
                    fs::copy_options::overwrite_existing, failed);
  if (made.empty()) return;
  const StageTable& table = session.tree.table;
  std::vector<std::string> wanted = table.stamp_folders;
  wanted.emplace_back("logs");
  std::string container = fmt::format("stagemake-logs-{}-{}", status.name, ::getpid());
  session.engine->create({.name = container, .image = made.back().names.front()});
  for (const std::string& path : wanted) {
    std::optional<std::string> tar = session.engine->copy_out(container, table.root + "/" + path);
    if (tar) unpack_tar(*tar, envdir / fs::path(table.root).filename() / fs::path(path).parent_path());
  }
  session.engine->remove_container(container);
}

}  // namespace

int tox_command(const Options& asked) {
  fs::path envdir = told_by_tox("TOX_ENV_DIR");
  Options options = options_for(asked, envdir);
  link_credentials(envdir);
  Session session(options);
  const Environment& environment = session.environments.front();
  write_file(envdir / "Dockerfile",
             dockerfile(session.tree.table, environment, build_context(session.tree.path)));
  BuildOutcome outcome = run_session(session, options);
  if (!outcome.result) return outcome.exit_status();
  std::vector<MadeImage> made = made_images(session, options, *outcome.result);
  for (const MadeImage& image : made) append_line(envdir / "Dockertags", image.names.front());
  try {
    bring_logs(session, made, *outcome.result, envdir);
  } catch (const Error& error) {
    fmt::print("the logs could not be brought out of the image: {}\n", printable(error.what()));
  }
  if (!options.repository.empty()) push(*session.engine, made, envdir);
  return outcome.exit_status();
}

}  // namespace stagemake
