// A docker host among several: where its daemon listens, and what a build may take of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/container_engine.h"

namespace stagemake {

struct HostSpec {
  std::string name;   // for people and in records: [A-Za-z0-9][A-Za-z0-9_.-]*, unique in its list
  std::string place;  // "ssh://…", "tcp://…", "unix://…", or a context of docker's configuration
  std::optional<unsigned> slots = {};        // job slots, at least 1; absent: its processors
  std::optional<unsigned> at_once = {};      // stages, at least 1; absent: by its slots
  std::optional<std::uint64_t> memory = {};  // bytes for stages; 0: no limit; absent: what it has
};

// The engine of a host. Nothing is asked yet; probe() says whether it works.
std::unique_ptr<ContainerEngine> open_host(const HostSpec& host);

}  // namespace stagemake
