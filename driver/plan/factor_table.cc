#include "plan/factor_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "plan/ini_file.h"

namespace stagemake {
namespace {

constexpr std::string_view kFactorLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

bool is_factor(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kFactorLetters) == std::string_view::npos;
}

// One word with braces → all that it stands for.
class BraceExpansion {
 public:
  explicit BraceExpansion(std::string_view text) : text_(text) {}

  // Nothing where braces do not match, or there would be too many.
  std::optional<std::vector<std::string>> expand() {
    std::vector<std::string> all = sequence(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    return all;
  }

 private:
  // Up to the end, or to a `,` or `}` of the braces around.
  std::vector<std::string> sequence(unsigned depth) {
    std::vector<std::string> all{""};
    while (at_ < text_.size() && !failed_) {
      char c = text_[at_];
      if (c == '}' || (c == ',' && depth > 0)) break;
      ++at_;
      if (c == '{') {
        all = product(all, alternatives(depth + 1));
      } else {
        for (std::string& one : all) one += c;
      }
    }
    return all;
  }

  std::vector<std::string> alternatives(unsigned depth) {
    std::vector<std::string> all;
    if (depth > kDeepest) failed_ = true;
    while (!failed_) {
      for (std::string& one : sequence(depth)) all.push_back(std::move(one));
      if (at_ >= text_.size() || all.size() > kMostNames) failed_ = true;
      if (failed_ || text_[at_++] == '}') break;
    }
    return all;
  }

  std::vector<std::string> product(const std::vector<std::string>& heads,
                                   const std::vector<std::string>& tails) {
    std::vector<std::string> all;
    if (heads.size() * tails.size() > kMostNames) failed_ = true;
    if (failed_) return all;
    for (const std::string& head : heads)
      for (const std::string& tail : tails) all.push_back(head + std::string(trimmed(tail)));
    return all;
  }

  static constexpr unsigned kDeepest = 16;
  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

// Splits at separators that stand outside of braces.
std::vector<std::string_view> split_outside_braces(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '{') ++depth;
    if (i < text.size() && text[i] == '}') --depth;
    bool ends = i == text.size() || (depth <= 0 && separators.find(text[i]) != std::string_view::npos);
    if (!ends) continue;
    parts.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return parts;
}

void add_names(const IniKey& key, const std::string& file, Faults& faults, std::vector<ListedName>& into) {
  for (const IniLine& line : logical_lines(key))
    for (std::string& name : expand_braces(line.text, fmt::format("{}:{}", file, line.number), faults))
      into.push_back({std::move(name), file, line.number});
}

// DEFAULT_SYSTEM_FACTORS and the lines that its backslashes join to it: line by line, for the sake of the
// numbers.
void add_platforms(const IniKey& setenv, const std::string& file, Faults& faults,
                   std::vector<ListedName>& into) {
  constexpr std::string_view kKey = "DEFAULT_SYSTEM_FACTORS";
  bool inside = false;
  for (const IniLine& line : setenv.lines) {
    std::string_view text = line.text;
    if (!inside) {
      if (!text.starts_with(kKey)) continue;
      text = trimmed(text.substr(kKey.size()));
      if (!text.starts_with('=')) continue;
      text.remove_prefix(1);
    }
    inside = text.ends_with('\\');
    if (inside) text.remove_suffix(1);
    for (std::string& name : expand_braces(text, fmt::format("{}:{}", file, line.number), faults))
      into.push_back({std::move(name), file, line.number});
  }
}

}  // namespace

std::vector<std::string> expand_braces(std::string_view text, const std::string& where, Faults& faults) {
  std::vector<std::string> names;
  for (std::string_view part : split_outside_braces(text, ", \t\n")) {
    if (part.empty()) continue;
    std::optional<std::vector<std::string>> all = BraceExpansion(part).expand();
    if (!all || names.size() + all->size() > kMostNames) {
      faults.add(where, fmt::format("`{}`: its braces do not match, or it stands for more than {} names",
                                    printable(part.substr(0, 60)), kMostNames));
      return {};
    }
    for (std::string& name : *all)
      if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

std::optional<std::vector<FactorTable::Alternative>> FactorTable::parse_condition(std::string_view text) {
  Faults faults;
  std::vector<Alternative> condition;
  for (const std::string& word : expand_braces(text, "", faults)) {
    Alternative alternative;
    for (std::string_view part : split(word, '-')) {
      bool negated = part.starts_with('!');
      if (negated) part.remove_prefix(1);
      if (!is_factor(part)) return std::nullopt;
      alternative.push_back({std::string(part), negated});
    }
    condition.push_back(std::move(alternative));
  }
  if (condition.empty() || !faults.empty()) return std::nullopt;
  return condition;
}

// The first `:` with a blank or nothing behind it ends a condition; where what stands before it is none, the
// line has no condition.
void FactorTable::add_setting(std::string_view line, const std::string& where, Faults& faults) {
  Setting setting;
  for (std::size_t i = line.find(':'); i != std::string_view::npos; i = line.find(':', i + 1)) {
    if (i + 1 < line.size() && line[i + 1] != ' ' && line[i + 1] != '\t') continue;
    if (auto condition = parse_condition(trimmed(line.substr(0, i)))) {
      setting.condition = std::move(*condition);
      line = trimmed(line.substr(i + 1));
    }
    break;
  }
  for (const Alternative& alternative : setting.condition)
    for (const Factor& factor : alternative) factors_.insert(factor.name);
  if (line.empty()) return;  // a condition alone
  std::size_t end = line.find('=');
  std::string_view key = trimmed(line.substr(0, end));
  if (end == std::string_view::npos || key.empty() || key.find_first_of(" \t{}") != std::string_view::npos)
    return faults.add(where, fmt::format("`{}` is no setting; it looks like `KEY=VALUE` or "
                                         "`factor-factor: KEY=VALUE`",
                                         printable(line.substr(0, 60))));
  setting.key = std::string(key);
  setting.value = std::string(trimmed(line.substr(end + 1)));
  settings_.push_back(std::move(setting));
}

FactorTable FactorTable::parse(std::string_view text, const std::string& file, Faults& faults) {
  constexpr std::string_view kTestSection = "testenv:";
  FactorTable table;
  table.file_ = file;
  for (const IniSection& section : parse_ini(text, file, faults)) {
    auto either = [&](std::string_view name, std::string_view other) {
      const IniKey* key = section.find(name);
      return key != nullptr ? key : section.find(other);  // tox 4 has new names beside the old ones
    };
    if (section.name == "tox")
      if (const IniKey* key = either("envlist", "env_list")) add_names(*key, file, faults, table.envlist_);
    const IniKey* setenv = either("setenv", "set_env");
    if (section.name == "testenv" && setenv != nullptr)
      for (const IniLine& line : logical_lines(*setenv))
        table.add_setting(line.text, fmt::format("{}:{}", file, line.number), faults);
    if (section.name.starts_with(kTestSection))
      for (std::string_view factor : split(std::string_view(section.name).substr(kTestSection.size()), '-'))
        if (is_factor(factor)) table.factors_.emplace(factor);
    if (setenv != nullptr) add_platforms(*setenv, file, faults, table.platforms_);
  }
  table.meaning_ = table.factors_;
  for (const std::vector<ListedName>* list : {&table.envlist_, &table.platforms_})
    for (const ListedName& listed : *list)
      for (std::string_view factor : split(listed.name, '-'))
        if (is_factor(factor)) table.factors_.emplace(factor);
  return table;
}

std::optional<FactorTable> FactorTable::read(const fs::path& tree, Faults& faults) {
  constexpr std::string_view kFile = "tox.ini";
  std::optional<std::string> text = read_inside(tree, std::string(kFile));
  if (!text) return std::nullopt;
  if (!is_utf8(*text)) {
    faults.add(std::string(kFile), "is not UTF-8");
    return std::nullopt;
  }
  FactorTable table = parse(*text, std::string(kFile), faults);
  // A tox.ini that only tests Python code says nothing of containers.
  if (!table.meaning_.contains("docker")) return std::nullopt;
  return table;
}

std::map<std::string, std::string> FactorTable::settings(std::string_view environment) const {
  std::vector<std::string_view> parts = split(environment, '-');
  std::set<std::string_view> factors(parts.begin(), parts.end());
  auto holds = [&](const Alternative& alternative) {
    return std::all_of(alternative.begin(), alternative.end(),
                       [&](const Factor& factor) { return factors.contains(factor.name) != factor.negated; });
  };
  std::map<std::string, std::string> settings;
  for (const Setting& setting : settings_)
    if (setting.condition.empty() || std::any_of(setting.condition.begin(), setting.condition.end(), holds))
      settings[setting.key] = setting.value;
  return settings;
}

std::vector<std::string> FactorTable::unknown_factors(std::string_view environment) const {
  std::vector<std::string> unknown;
  for (std::string_view factor : split(environment, '-'))
    if (!factors_.contains(factor)) unknown.emplace_back(factor);
  return unknown;
}

void FactorTable::check_factors(std::string_view environment) const {
  constexpr std::size_t kLongest = 255;  // bytes; registries take no longer names
  if (environment.size() > kLongest)
    throw bad_input(
        "", fmt::format("environment {}: its name is longer than {} letters", shown(environment), kLongest));
  std::vector<std::string> unknown = unknown_factors(environment);
  if (unknown.empty()) return;
  std::vector<std::string> texts;
  std::vector<std::string> known(factors_.begin(), factors_.end());
  for (const std::string& factor : unknown) {
    std::vector<std::string> near = nearest(factor, known);
    texts.push_back(fmt::format("`{}`{}", printable(factor),
                                near.empty() ? "" : " (did you mean " + join(near, " or ") + "?)"));
  }
  throw bad_input("", fmt::format("environment {}: {} has no {} {}; `stagemake envs` lists what there is",
                                  printable(environment), file_, texts.size() == 1 ? "factor" : "factors",
                                  join(texts, ", ")));
}

}  // namespace stagemake
