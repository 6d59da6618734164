#include "engine/engine_program.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "base/secrets.h"
#include "base/text/json_text.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestAnswer = 256u << 20;  // bytes; the value of Command::output_limit
constexpr std::size_t kLastLines = 3;
constexpr std::size_t kLongestWords = 1000;  // bytes; an engine may print a whole usage text
constexpr std::size_t kLongestWord = 120;    // bytes; buildah prints the folders of all layers in one
constexpr std::size_t kIdDigits = 64, kShownDigits = 12;

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool says_one_of(const Finished& finished, std::initializer_list<std::string_view> phrases) {
  std::string text = in_lower_case(finished.errors);
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view phrase) { return text.find(phrase) != std::string::npos; });
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Shortens ids to their first digits, as people write them.
std::string with_short_ids(std::string_view text) {
  std::string shortened;
  while (!text.empty()) {
    auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_hex) - text.begin());
    if (digits == kIdDigits) {
      shortened += text.substr(0, kShownDigits);
    } else {
      shortened += text.substr(0, digits);
    }
    text.remove_prefix(digits);
    auto others = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_hex) - text.begin());
    shortened += text.substr(0, others);
    text.remove_prefix(others);
  }
  return shortened;
}

// Cuts the middle out of words that are too long to read.
std::string with_short_words(std::string_view text) {
  std::string shortened;
  while (!text.empty()) {
    std::size_t end = std::min(text.find(' '), text.size() - 1) + 1;
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    if (word.size() > kLongestWord) {
      std::size_t part = kLongestWord / 2;
      shortened += printable(word.substr(0, part)) + "…" + printable(word.substr(word.size() - part));
    } else {
      shortened += word;
    }
  }
  return shortened;
}

}  // namespace

EngineProgram::EngineProgram(std::string name, const char* variable) : name_(std::move(name)), path_(name_) {
  const char* chosen = std::getenv(variable);
  if (chosen != nullptr && *chosen != '\0') path_ = chosen;
}

bool EngineProgram::installed() const {
  return !find_program(path_).empty();
}

Command EngineProgram::command(std::vector<std::string> arguments) const {
  Command command;
  command.argv = std::move(arguments);
  command.argv.insert(command.argv.begin(), path_);
  command.environment = {{"LC_ALL", "C"}, {"DOCKER_CLI_HINTS", "false"}};
  return command;
}

Finished EngineProgram::run(const Command& command) const {
  try {
    return run_command(command);
  } catch (const EngineError&) {
    throw;
  } catch (const Error& error) {
    throw EngineError(printable(error.what()));
  }
}

std::string EngineProgram::ask(std::vector<std::string> arguments) const {
  std::string verb = arguments.at(0);
  Finished finished = call(std::move(arguments));
  if (!finished.ok()) throw error(verb, finished);
  return std::move(finished.output);
}

EngineError EngineProgram::error(const std::string& verb, const Finished& finished) const {
  std::string words = last_words(finished);
  return error(verb, fmt::format("exit status {}{}{}", finished.exit_code, words.empty() ? "" : ": ", words));
}

EngineError EngineProgram::error(const std::string& verb, std::string_view words) const {
  return EngineError(fmt::format("{} {}: {}", name_, verb, words));
}

bool says_absent(const Finished& finished) {
  return says_one_of(finished, {"no such image", "no such container", "no such object", "no such network",
                                "could not find the file", "could not be found on container",
                                "image not known", "container not known", "no container with name"});
}

bool says_in_use(const Finished& finished) {
  return says_one_of(finished, {"conflict:", "in use by", "is being used", "image used by", "has dependent"});
}

std::string last_words(const Finished& finished) {
  std::vector<std::string> last;
  for (std::string_view line : lines(finished.errors))
    if (std::string_view words = trimmed(line); !words.empty()) last.push_back(printable(words));
  // Log lines of buildah and podman about their cleanup say less than the error.
  auto is_log = [](const std::string& line) { return line.starts_with("time=\""); };
  if (!std::all_of(last.begin(), last.end(), is_log)) std::erase_if(last, is_log);
  if (last.size() > kLastLines) last.erase(last.begin(), last.end() - kLastLines);
  return shown_words(join(last, "; "));
}

std::string shown_words(std::string_view words) {
  std::string text = with_short_words(with_short_ids(without_secrets(printable(trimmed(words)))));
  if (text.size() > kLongestWords) text = "…" + printable(text.substr(text.size() - kLongestWords));
  return text;
}

nlohmann::json parsed_answer(const std::string& program, const std::string& text) {
  std::string why;
  std::optional<nlohmann::json> value = json_in(text, kLongestAnswer, &why);
  if (!value)
    throw EngineError(fmt::format("{}: its answer {}: {}", program, why, printable(text.substr(0, 200))));
  return *std::move(value);
}

std::vector<std::string> ids_in(const std::string& output) {
  std::set<std::string> ids;
  for (std::string_view word : words(output)) ids.emplace(word);
  return {ids.begin(), ids.end()};
}

std::vector<std::string> volumes_in(const nlohmann::json& config) {
  std::vector<std::string> paths;
  nlohmann::json volumes = member(config, "Volumes");
  if (volumes.is_object())
    for (const auto& [path, nothing] : volumes.items()) paths.push_back(path);
  return paths;
}

std::string label_filter(const std::string& label, const std::string& value) {
  // Docker strips blanks from the ends of a filter.
  bool plain = !value.empty() && trimmed(value) == value;
  return plain ? "label=" + label + "=" + value : "label=" + label;
}

bool has_label(const Labels& labels, const std::string& label, const std::string& value) {
  if (label.empty()) return true;
  auto found = labels.find(label);
  return found != labels.end() && (value.empty() || found->second == value);
}

}  // namespace stagemake
