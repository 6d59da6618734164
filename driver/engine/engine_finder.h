// Finds the engines that can be used here, and chooses one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/container_engine.h"
#include "engine/engine_report.h"

namespace stagemake {

enum class EngineKind { Auto, Docker, Podman, Buildah };
std::optional<EngineKind> engine_kind(std::string_view word);

// Examines all of them closely.
std::vector<EngineReport> examine_engines();

// The requested engine; for Auto, the first of docker, podman, buildah that works. Throws EngineError with
// the engines tried and why each one does not work.
std::unique_ptr<ContainerEngine> open_engine(EngineKind kind);

// Docker at a place, as docker_endpoint_at() takes it. Nothing is asked yet: probe() says whether it works.
std::unique_ptr<ContainerEngine> open_docker_at(const std::string& place);

}  // namespace stagemake
