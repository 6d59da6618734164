// --network, and what variables say of the same.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "plan/network_choice.h"

namespace CLI {
class App;
}

namespace stagemake {

void add_network_option(CLI::App& command, Options& options);

// What a person said of networks: EXTRA_DOCKER_BUILD_ARGS, $STAGEMAKE_NETWORK and options, the later the
// stronger. A table that came with the tree opens this machine's network to no build of a pull request
// (cli/pull_request.h). Throws Error (BadInput) where an option names neither a stage of the table nor one of
// `environments`: a slip would leave a network open.
NetworkChoices network_choices(const Options& options, const StageTable& table,
                               const std::vector<std::string>& environments);

}  // namespace stagemake
