#include "engine/docker_cli/docker_cli_program.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/files/files.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

// Podman's exit status if the runtime got as far as looking for the program to run.
constexpr int kNoSuchProgram = 127;

std::string daemon_advice(const std::string& problem) {
  if (problem.find("permission denied") != std::string::npos)
    return "add yourself to the group docker (usermod -aG docker $USER) and log in again, or use buildah";
  return "start the daemon (systemctl start docker), or set DOCKER_HOST to where it listens";
}

// Podman may be installed and answer, but not be allowed to start anything, as in many containers. Only a
// trial shows this; an empty folder as the root file system is enough, and needs no image.
std::optional<std::string> cannot_start(const EngineProgram& program) {
  TemporaryFolder empty(fs::temp_directory_path());
  Finished finished = program.call({"run", "--rm", "--network", "host", "--log-driver", "none", "--rootfs",
                                    empty.path().string(), "/nothing"});
  if (finished.ok() || finished.exit_code == kNoSuchProgram) return std::nullopt;
  return last_words(finished);
}

}  // namespace

const DockerDialect& docker_dialect() {
  static const DockerDialect dialect{
      .name = "docker",
      .variable = "STAGEMAKE_DOCKER",
      .has_daemon = true,
      // The host's name must not get into images; "localhost" is in every /etc/hosts.
      .create_extra = {"--hostname", "localhost"},
      .label_changes = true,
      .commit_squashes = false,
      .top_columns = {"-eo", "pid,ppid,times,args"},
      .transfer_options = false,
      .time_template = "{{.SystemTime}}",
      .storage_template = "{{json .DockerRootDir}}",
      .install_advice =
          "install docker: apt-get install docker.io, or see https://docs.docker.com/engine/install",
  };
  return dialect;
}

const DockerDialect& podman_dialect() {
  static const DockerDialect dialect{
      .name = "podman",
      .variable = "STAGEMAKE_PODMAN",
      .has_daemon = false,
      // Podman adds these to each container, and a commit would put them into the image.
      .create_extra = {"--hostname", "localhost", "--unsetenv", "TERM", "--unsetenv", "container",
                       "--http-proxy=false"},
      .label_changes = false,
      .commit_squashes = true,
      .top_columns = {"pid", "ppid", "time", "args"},
      .transfer_options = true,
      .time_template = "",
      .storage_template = "{{if not .Host.ServiceIsRemote}}{{json .Store.GraphRoot}}{{end}}",
      .install_advice = "install podman: apt-get install podman",
  };
  return dialect;
}

EngineReport DockerCliProgram::examine(Look look) const {
  if (!installed())
    return not_usable(name(), fmt::format("there is no {} in PATH", path()), dialect_.install_advice);
  Finished finished = call({"version", "--format", "{{json .}}"});
  if (!finished.ok()) {
    std::string problem = last_words(finished);
    return not_usable(name(), problem,
                      dialect_.has_daemon ? daemon_advice(problem) : dialect_.install_advice);
  }
  json version = parsed_answer(name(), finished.output);
  const char* part = dialect_.has_daemon ? "Server" : "Client";
  if (!dialect_.has_daemon)
    if (std::optional<EngineReport> lack = lacks_ids(*this)) return *std::move(lack);
  if (!dialect_.has_daemon)
    if (std::optional<std::string> why = cannot_start(*this))
      return not_usable(name(), "it cannot start a container here: " + *why,
                        "use buildah, whose isolation \"chroot\" needs fewer privileges");
  std::string warning;
  if (look == Look::Close) {
    Finished driver =
        call({"info", "--format", dialect_.has_daemon ? "{{.Driver}}" : "{{.Store.GraphDriverName}}"});
    if (driver.ok()) warning = storage_warning(trimmed(driver.output));
  }
  return usable(name(), text_at(member(version, part), "Version"), std::move(warning));
}

json DockerCliProgram::inspect_container(const std::string& container) const {
  json found = parsed_answer(name(), ask({"inspect", "--type", "container", container}));
  if (!found.is_array() || found.size() != 1) throw error("inspect", "no such container: " + container);
  return found[0];
}

}  // namespace stagemake
