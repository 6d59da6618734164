// --network, and the variables with the same meaning.
#pragma once

#include <string>
#include <vector>

#include "cli/options/options.h"
#include "environment/network_choice.h"

namespace CLI {
class App;
}

namespace stagemake {

void add_network_option(CLI::App& command, Options& options);

// The user's network settings: EXTRA_DOCKER_BUILD_ARGS, $STAGEMAKE_NETWORK and options; later ones win. A
// stage table from the tree cannot open this machine's network to the build of a pull request
// (cli/pull_request.h). Throws Error (BadInput) if an option names neither a stage of the table nor one of
// `environments`, because a typing error would leave a network open.
NetworkChoices network_choices(const Options& options, const StageTable& table,
                               const std::vector<std::string>& environments);

}  // namespace stagemake
