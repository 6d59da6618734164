// Which engines are here, and which of them to take.

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "engine/buildah_engine.h"
#include "engine/docker_engine.h"
#include "engine/id_maps.h"

namespace stagemake {
namespace {

using nlohmann::json;

// Podman's exit status where the runtime came as far as looking for the program that is to run.
constexpr int kNoSuchProgram = 127;

EngineReport usable(const EngineProgram& program, std::string version, std::string warning = {}) {
  return {program.name(), true, std::move(version), "", "", std::move(warning)};
}

EngineReport not_usable(const EngineProgram& program, std::string problem, std::string advice) {
  return {program.name(), false, "", std::move(problem), std::move(advice), ""};
}

// Why this user cannot unpack images without being root; nothing where that is possible.
std::optional<EngineReport> lacks_ids(const EngineProgram& program) {
  std::string user = user_name();
  if (::geteuid() != 0) {
    for (const char* helper : {"newuidmap", "newgidmap"})
      if (find_program(helper).empty())
        return not_usable(
            program,
            fmt::format("there is no {} in PATH, without which a user other than root has only one "
                        "user id in containers",
                        helper),
            "install it: apt-get install uidmap");
    Finished maps =
        program.call({"unshare", "sh", "-c", "cat /proc/self/uid_map; echo; cat /proc/self/gid_map"});
    if (!maps.ok())
      return not_usable(
          program, "it cannot make a user namespace: " + last_words(maps),
          "allow it (sysctl kernel.unprivileged_userns_clone=1, or what your system calls it), or "
          "run as root");
    std::string lack = lack_of_ids(maps.output, user);
    if (!lack.empty()) return not_usable(program, lack, ids_advice(user));
    return std::nullopt;
  }
  std::string lack = lack_of_ids(
      read_file("/proc/self/uid_map").value_or("") + "\n" + read_file("/proc/self/gid_map").value_or(""),
      user);
  if (lack.empty()) return std::nullopt;
  return not_usable(program, lack, "run in a container or namespace that has 65536 user and group ids");
}

// What makes each commit copy all that there is.
std::string storage_warning(std::string_view driver) {
  if (driver != "vfs") return {};
  return "its storage driver is vfs, which copies the whole image for each container and commit: slow, and "
         "it "
         "fills the disk. Put the engine's storage on a file system that overlay works on (not inside an "
         "overlay, "
         "as in most containers), or install fuse-overlayfs";
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

EngineReport examined(EngineKind kind, Look look = Look::Quick) {
  if (kind == EngineKind::Docker) return DockerEngine(docker_dialect()).examine(look);
  if (kind == EngineKind::Podman) return DockerEngine(podman_dialect()).examine(look);
  return BuildahEngine().examine(look);
}

std::unique_ptr<ContainerEngine> opened(EngineKind kind) {
  if (kind == EngineKind::Docker) return std::make_unique<DockerEngine>(docker_dialect());
  if (kind == EngineKind::Podman) return std::make_unique<DockerEngine>(podman_dialect());
  return std::make_unique<BuildahEngine>();
}

constexpr EngineKind kInOrder[] = {EngineKind::Docker, EngineKind::Podman, EngineKind::Buildah};

}  // namespace

EngineReport DockerEngine::examine(Look look) const {
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
    if (std::optional<EngineReport> lack = lacks_ids(program_)) return *std::move(lack);
  if (!dialect_.has_daemon)
    if (std::optional<std::string> why = cannot_start(program_))
      return not_usable(program_, "it cannot start a container here: " + *why,
                        "use buildah, whose isolation \"chroot\" needs fewer privileges");
  std::string warning;
  if (look == Look::Close) {
    Finished driver = program_.call(
        {"info", "--format", dialect_.has_daemon ? "{{.Driver}}" : "{{.Store.GraphDriverName}}"});
    if (driver.ok()) warning = storage_warning(trimmed(driver.output));
  }
  return usable(program_, text_at(member(version, part), "Version"), std::move(warning));
}

std::string DockerEngine::probe() {
  counter_.count("probe");
  return probed(*this);
}

EngineReport BuildahEngine::examine(Look look) const {
  constexpr const char* kInstall = "install buildah: apt-get install buildah";
  if (!program_.installed())
    return not_usable(program_, fmt::format("there is no {} in PATH", program_.path()), kInstall);
  Finished finished = program_.call({"version", "--json"});
  if (!finished.ok()) return not_usable(program_, last_words(finished), kInstall);
  if (std::optional<EngineReport> lack = lacks_ids(program_)) return *std::move(lack);
  // The version says nothing about the storage, which may be in the way of each command after.
  Finished listed = program_.call({"images", "--quiet"});
  if (!listed.ok())
    return not_usable(program_, last_words(listed),
                      "set CONTAINERS_STORAGE_CONF to a storage.conf whose folders you may write");
  std::string version = text_at(parsed_answer("buildah", finished.output), "version");
  if (look == Look::Quick) return usable(program_, std::move(version));
  if (std::optional<std::string> why = cannot_run())
    return not_usable(
        program_, fmt::format("it cannot run anything here with isolation {}: {}", isolation_, *why),
        "run as root, or set STAGEMAKE_BUILDAH_ISOLATION to another isolation (chroot, rootless, oci)");
  Finished driver = program_.call({"info", "--format", "{{.store.GraphDriverName}}"});
  return usable(program_, std::move(version), driver.ok() ? storage_warning(trimmed(driver.output)) : "");
}

// An empty container has no program to run: where all else works, that is what buildah complains of.
std::optional<std::string> BuildahEngine::cannot_run() const {
  constexpr const char* kProgram = "/stagemake-probe";
  std::string name = fmt::format("stagemake-probe-{}", ::getpid());
  Finished made = program_.call({"from", "--name", name, "scratch"});
  if (!made.ok()) return last_words(made);
  Finished ran =
      program_.call({"run", "--isolation", isolation_, "--network", "host", name, "--", kProgram});
  program_.call({"rm", name});
  if (ran.ok() || ran.errors.find(kProgram) != std::string::npos) return std::nullopt;
  return last_words(ran);
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
  for (EngineKind kind : kInOrder) reports.push_back(examined(kind, Look::Close));
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
