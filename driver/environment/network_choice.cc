#include "environment/network_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text/text.h"
#include "environment/environment_choice.h"

namespace stagemake {

// Environments may be named with `docker-`.
bool is_of_environment(const NetworkChoice& choice, std::string_view environment) {
  constexpr std::string_view kPrefix = "docker-";
  std::string name(environment);
  return fits(choice.where, name) ||
         (choice.where.starts_with(kPrefix) && fits(choice.where.substr(kPrefix.size()), name));
}

std::optional<Network> NetworkChoices::said(const StageSpec& stage, std::string_view environment) const {
  auto choice = std::find_if(all.rbegin(), all.rend(), [&](const NetworkChoice& one) {
    return one.where.empty() || one.where == stage.name || is_of_environment(one, environment);
  });
  return choice == all.rend() ? std::nullopt : std::optional(choice->network);
}

Network NetworkChoices::of(const StageSpec& stage, std::string_view environment) const {
  if (std::optional<Network> network = said(stage, environment)) return *network;
  return stage.network == Network::Host && !table_may_open_host ? Network::Default : stage.network;
}

NetworkChoice read_network_choice(std::string_view origin, std::string_view text) {
  std::size_t sign = text.rfind('=');
  std::string_view name = sign == std::string_view::npos ? text : text.substr(sign + 1);
  std::optional<Network> network = network_named(name);
  if (!network || sign == 0)
    throw bad_input(std::string(origin),
                    fmt::format("\"{}\" is not a network: use none, default or host, or STAGE=… or "
                                "ENVIRONMENT=… for some stages or environments",
                                printable(text)));
  return {.where = std::string(sign == std::string_view::npos ? "" : text.substr(0, sign)),
          .network = *network};
}

}  // namespace stagemake
