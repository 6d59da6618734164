#include "plan/configured_packages.h"

#include <nlohmann/json.hpp>

#include "base/text/json_text.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kLongest = 1u << 20;  // bytes; the largest tree needs 10 kB

bool is_package_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of(
                              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
                              "+.") == std::string_view::npos;
}

// The words of the first assignment `NAME = …`, including continued lines; nullopt if there is none.
std::optional<std::set<std::string>> assigned(std::string_view text, std::string_view name) {
  std::optional<std::set<std::string>> names;
  bool goes_on = false;
  for (std::string_view line : lines(text)) {
    if (!goes_on) {
      if (!line.starts_with(name)) continue;
      line = trimmed(line.substr(name.size()));
      if (line.starts_with(':')) line.remove_prefix(1);
      if (!line.starts_with('=')) continue;
      line.remove_prefix(1);
      names.emplace();
    }
    line = trimmed(line);
    goes_on = line.ends_with('\\');
    if (goes_on) line.remove_suffix(1);
    if (line.find('@') != std::string_view::npos) return std::nullopt;  // not yet filled in by configure
    for (std::string_view word : words(line.substr(0, line.find('#'))))
      if (is_package_name(word)) names->emplace(word);
    if (!goes_on) break;
  }
  return names;
}

}  // namespace

std::optional<ConfiguredPackages> read_configured_makefile(std::string_view text) {
  std::optional<std::set<std::string>> dummies = assigned(text, "DUMMY_PACKAGES");
  if (!dummies) return std::nullopt;
  return ConfiguredPackages{
      .dummies = std::move(*dummies),
      .installed = assigned(text, "OPTIONAL_INSTALLED_PACKAGES").value_or(std::set<std::string>())};
}

std::string configured_text(const ConfiguredPackages& configured) {
  return json({{"dummies", configured.dummies},
               {"installed", configured.installed},
               {"found", configured.found}})
      .dump();
}

std::optional<ConfiguredPackages> parse_configured(std::string_view text) {
  json parsed = json_in(text, kLongest).value_or(nullptr);
  ConfiguredPackages configured;
  for (auto [key, into] :
       {std::pair("dummies", &configured.dummies), std::pair("installed", &configured.installed),
        std::pair("found", &configured.found)}) {
    if (!parsed.is_object()) return std::nullopt;
    if (!parsed.contains(key) && into == &configured.found) continue;  // older versions did not write it
    if (!parsed.contains(key) || !parsed[key].is_array()) return std::nullopt;
    for (const json& name : parsed[key]) {
      if (!name.is_string() || !is_package_name(name.get<std::string>())) return std::nullopt;
      into->insert(name.get<std::string>());
    }
  }
  return configured;
}

}  // namespace stagemake
