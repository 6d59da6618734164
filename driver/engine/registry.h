// What a registry has, asked over its HTTP API (distribution spec v2) without pulling anything.
//
// Nobody's credentials are used: public repositories and those that hand out tokens to anyone answer.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

struct RegistryAnswer {
  std::vector<std::string> images;  // "host/repository:tag"; without a tag where only the repository is known
  std::string problem;              // why there are none; empty where the registry answered
};

// The tags of the repository in `image` ("host[:port]/path:tag"); where the registry does not know that
// repository, those beside it, under the same folder. An image whose name has no registry is not asked for.
// Takes at most some seconds. Registries on this machine are spoken to without TLS, as docker does.
RegistryAnswer ask_registry(const std::string& image);

}  // namespace stagemake
