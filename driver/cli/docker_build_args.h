// EXTRA_DOCKER_BUILD_ARGS: what people told today's tox.ini to hand to `docker build`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"

namespace stagemake {

struct DockerBuildArgs {
  std::map<std::string, std::string> given;  // as EnvironmentRequest::given
  // http_proxy and the like: no part of what is built, and known to what runs while it is.
  std::map<std::string, std::string> proxies;
  bool fresh = false;  // --no-cache
  std::optional<Network> network = {};  // --network, where it is one that engines of all kinds have
  // What only `docker build` itself could use, to be shown: as it was written, but for values of --build-arg and other
  // secrets. Nothing of it changes what is built.
  std::vector<std::string> passed_over;
};

// Throws Error (BadInput) where the text needs more of a shell than quotes.
DockerBuildArgs read_docker_build_args(std::string_view text);

}  // namespace stagemake
