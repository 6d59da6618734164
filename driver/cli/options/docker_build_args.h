// EXTRA_DOCKER_BUILD_ARGS: arguments that today's tox.ini passes to `docker build`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/network.h"

namespace stagemake {

struct DockerBuildArgs {
  std::map<std::string, std::string> given;  // as EnvironmentRequest::given
  // http_proxy and the like: not part of what is built, but available while it is built.
  std::map<std::string, std::string> proxies;
  bool fresh = false;                   // --no-cache
  std::optional<Network> network = {};  // --network, if all kinds of engines have this network
  // Arguments that only `docker build` itself could use, for display: as written, except values of
  // --build-arg and other secrets. None of them changes what is built.
  std::vector<std::string> passed_over;
};

// Throws Error (BadInput) if the text needs more shell syntax than quotes.
DockerBuildArgs read_docker_build_args(std::string_view text);

}  // namespace stagemake
