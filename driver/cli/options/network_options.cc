#include "cli/options/network_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "base/text/text.h"
#include "cli/options/option_groups.h"
#include "cli/pull_request.h"
#include "cli/tree.h"

namespace stagemake {

void add_network_option(CLI::App& command, Options& options) {
  InGroup group(command, "Engine");
  command
      .add_option_function<std::vector<std::string>>(
          "--network",
          [&options](const std::vector<std::string>& all) {
            for (const std::string& text : all)
              options.networks.push_back(read_network_choice("--network", text));
          },
          "network of containers: none, the engine's own (default) or this machine's (host); STAGE=… or "
          "ENV=… "
          "limits it to a stage or environments; repeatable, the last match wins (default: from the stage "
          "table) [$STAGEMAKE_NETWORK]")
      ->type_name("[WHERE=]none|default|host")
      ->allow_extra_args(false);
}

NetworkChoices network_choices(const Options& options, const StageTable& table,
                               const std::vector<std::string>& environments) {
  for (const NetworkChoice& choice : options.networks) {
    bool is_known =
        choice.where.empty() || table.find(choice.where) ||
        std::any_of(environments.begin(), environments.end(),
                    [&](const std::string& environment) { return is_of_environment(choice, environment); });
    if (is_known) continue;
    std::vector<std::string> names = environments;
    for (const StageSpec& stage : table.stages) names.push_back(stage.name);
    std::vector<std::string> near = nearest(choice.where, names);
    throw bad_input("--network",
                    fmt::format("{} is neither a stage nor one of the environments{}", shown(choice.where),
                                near.empty() ? "" : "; did you mean " + join(near, " or ") + "?"));
  }
  NetworkChoices choices{
      .all = options.networks_of_variables,
      .table_may_open_host = !table.is_of_tree || pull_request_event(variable_of_caller).empty()};
  choices.all.insert(choices.all.end(), options.networks.begin(), options.networks.end());
  return choices;
}

}  // namespace stagemake
