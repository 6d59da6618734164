// The network of an environment's stages: the user's choice, else the table's, else the engine's default.
//
// The user's choice is not part of keys: like a proxy, it says how a build reaches the sites that its recipes
// name. The table's choice is (plan/stage_plan.h): it comes with the tree, and a recipe that tolerates a
// failed download produces something else without a network.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process/network.h"
#include "tree/stage_table.h"

namespace stagemake {

struct NetworkChoice {
  std::string where;  // a stage, an environment, or a pattern of environments; empty: everywhere
  Network network = Network::Default;
};

// Whether a choice names an environment.
bool is_of_environment(const NetworkChoice& choice, std::string_view environment);

struct NetworkChoices {
  std::vector<NetworkChoice> all = {};  // the last one that matches counts
  // Follow "host" in a table. Otherwise such a stage has the engine's default network.
  bool table_may_open_host = true;

  Network of(const StageSpec& stage, std::string_view environment) const;
  // The user's choice for a stage; nullopt if there is none.
  std::optional<Network> said(const StageSpec& stage, std::string_view environment) const;
};

// "none", "default", "host", or one of these after "STAGE=" or "ENVIRONMENT=". Throws Error (BadInput, about
// `origin`) for anything else.
NetworkChoice read_network_choice(std::string_view origin, std::string_view text);

}  // namespace stagemake
