#include "base/process/network.h"

#include <algorithm>
#include <iterator>

namespace stagemake {
namespace {

constexpr std::string_view kNames[] = {"none", "default", "host"};

}  // namespace

std::string_view name_of(Network network) {
  return kNames[static_cast<int>(network)];
}

std::optional<Network> network_named(std::string_view name) {
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Network>(found - std::begin(kNames));
}

}  // namespace stagemake
