// Which engines are here, and which of them to take.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/buildah_engine.h"
#include "engine/docker_engine.h"

namespace stagemake {
namespace {

using nlohmann::json;

// Podman's exit status where the runtime came as far as looking for the program that is to run.
constexpr int kNoSuchProgram = 127;

EngineReport usable(const EngineProgram& program, std::string version) {
  return {program.name(), true, std::move(version), "", ""};
}

EngineReport not_usable(const EngineProgram& program, std::string problem, std::string advice) {
  return {program.name(), false, "", std::move(problem), std::move(advice)};
}

std::string daemon_advice(const std::string& problem) {
  if (problem.find("permission denied") != std::string::npos)
    return "add yourself to the group docker (usermod -aG docker $USER) and log in again, or use buildah";
  return "start the daemon (systemctl start docker), or set DOCKER_HOST to where it listens";
}

// Podman may be installed and answer, but not be allowed to start anything, as in many containers: only a
// trial tells. An empty folder as root file system is enough, and needs no image.
std::optional<std::string> cannot_start(const EngineProgram& program) {
  TemporaryFolder empty(fs::temp_directory_path());
  Finished finished = program.call({"run", "--rm", "--network", "host", "--log-driver", "none", "--rootfs",
                                    empty.path().string(), "/nothing"});
  if (finished.ok() || finished.exit_code == kNoSuchProgram) return std::nullopt;
  return last_words(finished);
}

template <typename Engine>
std::string probed(const Engine& engine) {
  EngineReport report = engine.examine();
  if (!report.usable)
    throw EngineError(fmt::format("{}: {}; {}", report.name, report.problem, report.advice));
  return report.version;
}

EngineReport examined(EngineKind kind) {
  if (kind == EngineKind::Docker) return DockerEngine(docker_dialect()).examine();
  if (kind == EngineKind::Podman) return DockerEngine(podman_dialect()).examine();
  return BuildahEngine().examine();
}

std::unique_ptr<ContainerEngine> opened(EngineKind kind) {
  if (kind == EngineKind::Docker) return std::make_unique<DockerEngine>(docker_dialect());
  if (kind == EngineKind::Podman) return std::make_unique<DockerEngine>(podman_dialect());
  return std::make_unique<BuildahEngine>();
}

constexpr EngineKind kInOrder[] = {EngineKind::Docker, EngineKind::Podman, EngineKind::Buildah};

}  // namespace

EngineReport DockerEngine::examine() const {
  if (!program_.installed())
    return not_usable(program_, fmt::format("there is no {} in PATH", program_.path()),
                      dialect_.install_advice);
  Finished finished = program_.call({"version", "--format", "{{json .}}"});
  if (!finished.ok()) {
    std::string problem = last_words(finished);
    return not_usable(program_, problem,
                      dialect_.has_daemon ? daemon_advice(problem) : dialect_.install_advice);
  }
  json version = parsed_answer(program_.name(), finished.output);
  const char* part = dialect_.has_daemon ? "Server" : "Client";
  if (!dialect_.has_daemon)
    if (std::optional<std::string> why = cannot_start(program_))
      return not_usable(program_, "it cannot start a container here: " + *why,
                        "use buildah, whose isolation \"chroot\" needs fewer privileges");
  return usable(program_, text_at(member(version, part), "Version"));
}

std::string DockerEngine::probe() {
  counter_.count("probe");
  return probed(*this);
}

EngineReport BuildahEngine::examine() const {
  constexpr const char* kInstall = "install buildah: apt-get install buildah";
  if (!program_.installed())
    return not_usable(program_, fmt::format("there is no {} in PATH", program_.path()), kInstall);
  Finished finished = program_.call({"version", "--json"});
  if (!finished.ok()) return not_usable(program_, last_words(finished), kInstall);
  // The version says nothing about the storage, which may be in the way of each command after.
  Finished listed = program_.call({"images", "--quiet"});
  if (!listed.ok())
    return not_usable(program_, last_words(listed),
                      "set CONTAINERS_STORAGE_CONF to a storage.conf whose folders you may write");
  return usable(program_, text_at(parsed_answer("buildah", finished.output), "version"));
}

std::string BuildahEngine::probe() {
  counter_.count("probe");
  return probed(*this);
}

std::optional<EngineKind> engine_kind(std::string_view word) {
  if (word == "auto") return EngineKind::Auto;
  if (word == "docker") return EngineKind::Docker;
  if (word == "podman") return EngineKind::Podman;
  if (word == "buildah") return EngineKind::Buildah;
  return std::nullopt;
}

std::vector<EngineReport> examine_engines() {
  std::vector<EngineReport> reports;
  for (EngineKind kind : kInOrder) reports.push_back(examined(kind));
  return reports;
}

std::unique_ptr<ContainerEngine> open_engine(EngineKind kind) {
  if (kind != EngineKind::Auto) {
    std::unique_ptr<ContainerEngine> engine = opened(kind);
    engine->probe();
    return engine;
  }
  std::string tried;
  for (EngineKind candidate : kInOrder) {
    EngineReport report = examined(candidate);
    if (report.usable) return opened(candidate);
    tried += fmt::format("\n  {}: {}; {}", report.name, report.problem, report.advice);
  }
  throw EngineError("no container engine works here:" + tried);
}

}  // namespace stagemake
