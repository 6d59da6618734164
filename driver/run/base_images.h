// What the engine says of base images, asked once for each name: 206 environments of Sage have some 50, and
// docker needs 40 ms to say what one is. For the part of a command in which everything is decided; a stage
// that runs asks anew.
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
