// The networks that a container can have, and their names in options, tables and JSON.
#pragma once

#include <optional>
#include <string_view>

namespace stagemake {

enum class Network {
  None,     // only its own loopback interface
  Default,  // the engine's own network (a bridge with address translation): not this machine's loopback
  Host,     // this machine's network, including all servers on its loopback
};

// "none", "default", "host".
std::string_view name_of(Network network);
// The network of that name; nothing if there is none.
std::optional<Network> network_named(std::string_view name);

}  // namespace stagemake
