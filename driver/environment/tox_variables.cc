#include "environment/tox_variables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestValue = 1u << 20;  // bytes
constexpr unsigned kDeepest = 64;                // nested `{env:…}` in defaults

class Resolver {
 public:
  Resolver(const FactorTable& table, const ToxCall& call) : table_(table), call_(call), file_(table.file()) {
    asking_.push_back("setenv");
    settings_ = table.settings(call.environment, [this](std::string_view text) { return replaced(text, 0); });
    asking_.clear();
    sections_.clear();
    for (const auto& [key, value] : call.settings) settings_[key] = value;
  }

  std::map<std::string, std::string> resolve() {
    for (const auto& [key, value] : settings_) variable(key);
    return std::move(resolved_);
  }

 private:
  const std::string& variable(const std::string& key) {
    if (auto known = resolved_.find(key); known != resolved_.end()) return known->second;
    asking_.push_back(key);
    std::string value = replaced(settings_.at(key), 0);
    asking_.pop_back();
    return resolved_[key] = std::move(value);
  }

  std::string replaced(std::string_view text, unsigned depth) {
    std::string result;
    std::map<std::size_t, std::size_t> braces = matching_braces(text);
    for (std::size_t i = 0; i < text.size();) {
      auto brace = braces.find(i);
      std::size_t end = brace == braces.end() ? std::string_view::npos : brace->second;
      std::optional<std::string> value;
      if (end != std::string_view::npos && depth < kDeepest)
        value = reference(text.substr(i + 1, end - i - 1), depth);
      if (value) {
        result += *value;
        i = end + 1;
      } else {
        // tox's escape for a literal brace.
        bool escaped = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '}');
        result += text[escaped ? i + 1 : i];
        i += escaped ? 2 : 1;
      }
      if (result.size() > kLongestValue)
        throw bad_input(file_, fmt::format("environment {}: the value of {} grows beyond 1 MB",
                                           printable(call_.environment), printable(asking_.front())));
    }
    return result;
  }

  // The matching closing braces, found in one pass, because separate searches take quadratic time.
  static std::map<std::size_t, std::size_t> matching_braces(std::string_view text) {
    std::map<std::size_t, std::size_t> matching;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        ++i;
      } else if (text[i] == '{') {
        open.push_back(i);
      } else if (text[i] == '}' && !open.empty()) {
        matching.emplace(open.back(), i);
        open.pop_back();
      }
    }
    return matching;
  }

  // The value of the text between braces; nullopt if it is not one of tox's forms, or an unknown folder.
  std::optional<std::string> reference(std::string_view inside, unsigned depth) {
    if (inside.starts_with("env:")) return environment(inside.substr(4), depth);
    if (inside.starts_with('[')) return of_section(inside, depth);
    if (inside == "envname" || inside == "env_name") return call_.environment;
    if (inside == "envdir" || inside == "env_dir") return call_.envdir;
    if (inside == "toxinidir" || inside == "tox_root") return call_.toxinidir;
    if (inside == "toxworkdir" || inside == "work_dir")
      return call_.toxinidir ? std::optional(*call_.toxinidir + "/.tox") : std::nullopt;
    if (inside == "/" || inside == ":") return std::string(inside);
    if (inside == "posargs" || inside.starts_with("posargs:")) {
      if (!call_.arguments.empty()) return join(call_.arguments, " ");
      return inside == "posargs" ? "" : replaced(inside.substr(8), depth + 1);
    }
    return std::nullopt;
  }

  // `[SECTION]KEY` and `[SECTION]KEY:DEFAULT`. Each is replaced once, because keys can refer to each other
  // many times.
  std::optional<std::string> of_section(std::string_view inside, unsigned depth) {
    std::size_t end = inside.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view section = inside.substr(1, end - 1), key = inside.substr(end + 1);
    std::size_t colon = key.find(':');
    std::string name(inside.substr(0, colon == std::string_view::npos ? colon : end + 1 + colon));
    if (auto known = sections_.find(name); known != sections_.end()) return known->second;
    std::optional<std::string> text = table_.value(section, key.substr(0, colon), call_.environment);
    if (!text && colon == std::string_view::npos) return std::nullopt;
    if (!text) return replaced(key.substr(colon + 1), depth + 1);
    if (std::find(asking_.begin(), asking_.end(), name) != asking_.end())
      throw bad_input(
          file_, fmt::format("environment {}: settings refer to each other in a circle: {} → {}",
                             printable(call_.environment), printable(join(asking_, " → ")), printable(name)));
    asking_.push_back(name);
    std::string value = replaced(*text, depth + 1);
    asking_.pop_back();
    return sections_[name] = std::move(value);
  }

  std::optional<std::string> environment(std::string_view key_and_default, unsigned depth) {
    std::size_t colon = key_and_default.find(':');
    std::string key(key_and_default.substr(0, colon));
    bool asks_itself = !asking_.empty() && asking_.back() == key;
    if (settings_.contains(key) && !asks_itself) {
      if (std::find(asking_.begin(), asking_.end(), key) != asking_.end())
        throw bad_input(
            file_,
            fmt::format("environment {}: settings refer to each other in a circle: {} → {}",
                        printable(call_.environment), printable(join(asking_, " → ")), printable(key)));
      return variable(key);
    }
    if (std::optional<std::string> value = call_.caller(key)) return value;
    return colon == std::string_view::npos ? "" : replaced(key_and_default.substr(colon + 1), depth + 1);
  }

  const FactorTable& table_;
  const ToxCall& call_;
  const std::string& file_;
  std::map<std::string, std::string> settings_;
  std::map<std::string, std::string> resolved_;
  std::map<std::string, std::string> sections_;  // values of `[SECTION]KEY`, replaced
  std::vector<std::string> asking_;              // settings whose values are being replaced, outermost first
};

}  // namespace

std::map<std::string, std::string> tox_variables(const FactorTable& table, const ToxCall& call) {
  return Resolver(table, call).resolve();
}

}  // namespace stagemake
