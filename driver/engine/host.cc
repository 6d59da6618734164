#include "engine/host.h"

#include "engine/docker/docker_engine.h"

namespace stagemake {

std::unique_ptr<ContainerEngine> open_host(const HostSpec& host) {
  return std::make_unique<DockerEngine>(DockerPatience{}, host.place);
}

}  // namespace stagemake
