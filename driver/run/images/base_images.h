// What the engine says about base images, asked once per name: Sage's 206 environments have about 50, and
// docker needs 40 ms for each. Use it while everything is decided; a stage that runs asks again.
//
// Thread rule: one thread at a time. Errors are the engine's, and are not remembered.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/container_engine.h"

namespace stagemake {

class BaseImages {
 public:
  explicit BaseImages(ContainerEngine& engine) : engine_(engine) {}
  // Nothing: it is not on this machine.
  const std::optional<ImageInfo>& find(const std::string& name);

 private:
  ContainerEngine& engine_;
  std::map<std::string, std::optional<ImageInfo>> known_;
};

}  // namespace stagemake
