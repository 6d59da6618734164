// Which network the stages of an environment have: what a person said, else what the table says, else the
// engine's own.
//
// What a person says is no part of keys: like a proxy, it says how a build reaches what its recipes name.
// What a table says is (plan/stage_plan.h): it comes with the tree, and a recipe that passes over a failed
// download makes something else without a network.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "plan/stage_table.h"

namespace stagemake {

struct NetworkChoice {
  std::string where;  // a stage, or an environment or a pattern of such; empty: everywhere
  Network network = Network::Default;
};

// Whether a choice is about an environment by its name.
bool is_of_environment(const NetworkChoice& choice, std::string_view environment);

struct NetworkChoices {
  std::vector<NetworkChoice> all = {};  // the last one that fits counts
  // A table's "host" is followed. Else such a stage has the engine's own network.
  bool table_may_open_host = true;

  Network of(const StageSpec& stage, std::string_view environment) const;
  // What a person said of a stage; nothing where that is nothing.
  std::optional<Network> said(const StageSpec& stage, std::string_view environment) const;
};

// "none", "default", "host", or one of these behind "STAGE=" or "ENVIRONMENT=". Throws Error (BadInput, about
// `origin`) where it is none.
NetworkChoice read_network_choice(std::string_view origin, std::string_view text);

}  // namespace stagemake
