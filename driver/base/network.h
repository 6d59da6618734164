// The networks that what runs in a container may have, and their names in options, tables and JSON.
#pragma once

#include <optional>
#include <string_view>

namespace stagemake {

enum class Network {
  None,     // a loopback interface of its own, and no other
  Default,  // the engine's own network (a bridge with address translation): not this machine's loopback
  Host,     // this machine's network, with all that listens on its loopback
};

// "none", "default", "host".
std::string_view name_of(Network network);
// The network of that name; nothing where there is none.
std::optional<Network> network_named(std::string_view name);

}  // namespace stagemake
