#include "engine/engine_finder.h"

#include <fmt/format.h>

#include "base/process/callers_environment.h"
#include "engine/buildah/buildah_engine.h"
#include "engine/buildah/buildah_program.h"
#include "engine/docker/docker_engine.h"
#include "engine/docker_cli/docker_cli_engine.h"
#include "engine/docker_cli/docker_cli_program.h"

namespace stagemake {
namespace {

// Whoever names a program wants that one: a wrapper, or one with docker's command line.
bool goes_by_program() {
  return !callers_variable(docker_dialect().variable).empty();
}

EngineReport examined(EngineKind kind, Look look = Look::Quick) {
  if (kind == EngineKind::Docker)
    return goes_by_program() ? DockerCliProgram(docker_dialect()).examine(look) : DockerApi().examine(look);
  if (kind == EngineKind::Podman) return DockerCliProgram(podman_dialect()).examine(look);
  return BuildahProgram().examine(look);
}

std::unique_ptr<ContainerEngine> opened(EngineKind kind) {
  if (kind == EngineKind::Docker && !goes_by_program()) return std::make_unique<DockerEngine>();
  if (kind == EngineKind::Docker) return std::make_unique<DockerCliEngine>(docker_dialect());
  if (kind == EngineKind::Podman) return std::make_unique<DockerCliEngine>(podman_dialect());
  return std::make_unique<BuildahEngine>();
}

constexpr EngineKind kInOrder[] = {EngineKind::Docker, EngineKind::Podman, EngineKind::Buildah};

}  // namespace

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

std::unique_ptr<ContainerEngine> open_docker_at(const std::string& place) {
  return std::make_unique<DockerEngine>(DockerPatience{}, place);
}

}  // namespace stagemake
