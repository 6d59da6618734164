#include "base/text/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text/text.h"

namespace stagemake {
namespace {

// The nesting depth of `text` up to its first syntax error; what follows does not matter.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (in_string) {
      if (c == '\\') ++at;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

std::optional<nlohmann::json> json_in(std::string_view text, std::size_t most, std::string* why) {
  auto refused = [&](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  if (text.size() > most) return refused("is longer than " + size_text(most));
  if (depth_of(text) > kDeepestJson)
    return refused(fmt::format("has more than {} lists and objects within each other", kDeepestJson));
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) return refused("is not JSON");
  return value;
}

}  // namespace stagemake
