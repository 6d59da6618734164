#include "environment/factor_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/files/beneath.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::string_view kCommonSection = "testenv";
constexpr std::string_view kTestSection = "testenv:";
constexpr std::string_view kFileLine = "file|";
constexpr std::string_view kFactorLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

bool is_factor(std::string_view text) {
  return !text.empty() && text.find_first_not_of(kFactorLetters) == std::string_view::npos;
}

std::string folded(std::string_view key) {
  std::string result(key);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// The factors in text that is not a valid condition.
std::set<std::string> factors_in(std::string_view text) {
  std::set<std::string> found;
  std::string word;
  for (char c : text) {
    if (kFactorLetters.find(c) != std::string_view::npos) {
      word += c;
    } else if (!word.empty()) {
      found.insert(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) found.insert(std::move(word));
  return found;
}

// Whether tox would replace anything.
bool has_braces(std::string_view text) {
  std::size_t open = text.find('{');
  return open != std::string_view::npos && text.find('}', open) != std::string_view::npos;
}

// The parts of `{[SECTION]KEY}`; two empty strings for anything else.
std::pair<std::string, std::string> section_and_key(std::string_view text) {
  std::size_t end = text.find(']');
  if (!text.starts_with("{[") || !text.ends_with('}') || end == std::string_view::npos) return {};
  std::string_view key = text.substr(end + 1, text.size() - end - 2);
  if (key.empty() || key.find_first_of("{}:[]") != std::string_view::npos) return {};
  return {std::string(text.substr(2, end - 2)), std::string(key)};
}

// The position of the `}` that closes the braces opened at `at`, which must not be empty: the next `}`. npos:
// none open.
std::size_t group_end(std::string_view text, std::size_t at) {
  if (text[at] != '{') return std::string_view::npos;
  std::size_t end = text.find('}', at);
  return end == at + 1 ? std::string_view::npos : end;
}

// `10-13` → 10, 11, 12, 13.
std::vector<std::string> range_of(const std::string& text) {
  constexpr int kMostDigits = 6, kLongest = 1000;
  std::size_t dash = text.find('-');
  auto is_number = [&](std::string_view part) {
    return !part.empty() && part.size() <= kMostDigits &&
           part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (dash == std::string::npos || !is_number(std::string_view(text).substr(0, dash)) ||
      !is_number(std::string_view(text).substr(dash + 1)))
    return {text};
  int from = std::stoi(text.substr(0, dash)), to = std::stoi(text.substr(dash + 1));
  if (std::abs(from - to) > kLongest) return {text};
  std::vector<std::string> all;
  for (int i = from; i != to; i += from < to ? 1 : -1) all.push_back(std::to_string(i));
  all.push_back(std::to_string(to));
  return all;
}

// A name in a list as the parts of a product: text outside braces is one alternative.
std::vector<std::vector<std::string>> parts_of_name(std::string_view element) {
  std::vector<std::vector<std::string>> parts;
  std::string text;
  auto end_text = [&] {
    if (!text.empty()) parts.push_back({std::move(text)});
    text.clear();
  };
  for (std::size_t i = 0; i < element.size(); ++i) {
    std::size_t end = group_end(element, i);
    if (end == std::string_view::npos) {
      text += element[i];
      continue;
    }
    end_text();
    parts.emplace_back();
    for (std::string_view one : split(element.substr(i + 1, end - i - 1), ',')) {
      std::string without_blanks;
      for (std::string_view word : words(one)) without_blanks += word;
      for (std::string& alternative : range_of(without_blanks))
        parts.back().push_back(std::move(alternative));
    }
    i = end;
  }
  end_text();
  return parts;
}

// Calls the function with one combination after the other, until it returns false.
void for_each_product(const std::vector<std::vector<std::string>>& parts,
                      const std::function<bool(const std::string&)>& call) {
  std::vector<std::size_t> chosen(parts.size(), 0);
  while (true) {
    std::string name;
    for (std::size_t i = 0; i < parts.size(); ++i) name += parts[i][chosen[i]];
    if (!call(name)) return;
    std::size_t at = parts.size();
    while (at > 0 && ++chosen[at - 1] == parts[at - 1].size()) chosen[--at] = 0;
    if (at == 0) return;
  }
}

// The factors of all combinations, without generating them all: a `-` outside braces separates factors.
// Processes at most `left` pieces.
std::set<std::string> factors_of_parts(const std::vector<std::vector<std::string>>& parts,
                                       std::size_t& left) {
  std::set<std::string> factors;
  std::vector<std::vector<std::string>> together;
  auto flush = [&] {
    for_each_product(together, [&](const std::string& text) {
      if (left == 0) return false;
      --left;
      for (std::string_view factor : split(text, '-'))
        if (is_factor(factor)) factors.emplace(factor);
      return true;
    });
    together.clear();
  };
  for (const std::vector<std::string>& part : parts) {
    std::size_t dash = part.size() == 1 ? part.front().find('-') : std::string::npos;
    if (dash == std::string::npos) {
      together.push_back(part);
      continue;
    }
    together.push_back({part.front().substr(0, dash)});
    flush();
    together.push_back({part.front().substr(dash + 1)});
  }
  flush();
  return factors;
}

// The names that a section's name stands for: `testenv:{a,b}` has two. At most `most`.
std::vector<std::string> names_of_section(const std::string& name, std::size_t most) {
  std::vector<std::string> names;
  for_each_product(parts_of_name(name), [&](const std::string& one) {
    if (names.size() >= most) return false;
    names.push_back(one);
    return true;
  });
  return names;
}

// Expands one word with braces to all its alternatives.
class BraceExpansion {
 public:
  explicit BraceExpansion(std::string_view text) : text_(text) {}

  // nullopt if braces do not match, or there would be too many.
  std::optional<std::vector<std::string>> expand() {
    std::vector<std::string> all = sequence(0);
    if (failed_ || at_ != text_.size()) return std::nullopt;
    return all;
  }

 private:
  // Reads up to the end, or to a `,` or `}` of the surrounding braces.
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

// Splits at separators outside braces.
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

// DEFAULT_SYSTEM_FACTORS and the lines that its backslashes join to it: line by line, to keep the line
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
      faults.add(where, fmt::format("`{}`: its braces do not match, or it expands to more than {} names",
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

// The first `:` followed by a blank or the end of the line ends a condition; if the text before it is not a
// condition, the line has none.
FactorTable::Line FactorTable::parse_line(const IniLine& line) {
  Line parsed{.condition = {}, .text = line.text, .number = line.number, .fault = {}, .words = {}};
  for (std::size_t i = line.text.find(':'); i != std::string::npos; i = line.text.find(':', i + 1)) {
    if (i + 1 < line.text.size() && line.text[i + 1] != ' ' && line.text[i + 1] != '\t') continue;
    std::string_view head = std::string_view(line.text).substr(0, i);
    if (auto condition = parse_condition(trimmed(head))) {
      parsed.condition = std::move(*condition);
      parsed.text = std::string(trimmed(std::string_view(line.text).substr(i + 1)));
    } else if (head.find('=') == std::string_view::npos) {
      parsed.words = factors_in(head);
    }
    break;
  }
  if (parsed.text.empty()) return parsed;  // only a condition
  std::string_view key = trimmed(std::string_view(parsed.text).substr(0, parsed.text.find('=')));
  bool is_replaced = has_braces(key);
  bool sets = parsed.text.find('=') != std::string::npos && !key.empty() &&
              key.find_first_of(" \t{}") == std::string_view::npos;
  if (!sets && !(is_replaced && parsed.words.empty()) && !parsed.text.starts_with(kFileLine))
    parsed.fault = fmt::format(
        "`{}` is not a setting; a setting looks like `KEY=VALUE` or "
        "`factor-factor: KEY=VALUE`",
        printable(std::string_view(parsed.text).substr(0, 60)));
  return parsed;
}

void FactorTable::add_section(const IniSection& section) {
  Section added{.name = section.name, .keys = {}, .faults = section.faults};
  for (const IniKey& key : section.keys) {
    std::vector<Line>& lines = added.keys[folded(key.name)];
    lines.clear();  // of two keys with the same name, the last counts
    for (const IniLine& line : logical_lines(key)) lines.push_back(parse_line(line));
    for (const Line& line : lines)
      for (const Alternative& alternative : line.condition)
        for (const Factor& factor : alternative) factors_.insert(factor.name);
  }
  if (section.name.starts_with(kTestSection))
    for (const std::string& name :
         names_of_section(section.name, kMostNames - std::min(kMostNames, section_of_.size()))) {
      section_of_.try_emplace(name, sections_.size());
      for (std::string_view factor : split(std::string_view(name).substr(kTestSection.size()), '-'))
        if (is_factor(factor)) factors_.emplace(factor);
    }
  section_of_.try_emplace(section.name, sections_.size());
  sections_.push_back(std::move(added));
}

// tox reads the whole value as one list: it joins the lines with commas, and a `{` matches the next `}`,
// whatever is between them. So nested braces (Sage 9.1 to 9.4) do not have their apparent meaning:
// `{docker-{a,b},c}-{d,e}` is `{docker-{a`, `{docker-{b`, `c}-d` and `c}-e`. Such names are not environments,
// but their factors are known.
void FactorTable::read_envlist(const IniKey& key) {
  std::string text;
  std::vector<unsigned> numbers;  // for each byte, its line
  for (const IniLine& line : logical_lines(key)) {
    text += line.text + ',';
    numbers.resize(text.size(), line.number);
  }
  std::size_t begin = 0, left = 10 * kMostNames;
  auto add = [&](std::size_t end) {
    std::string_view element = trimmed(std::string_view(text).substr(begin, end - begin));
    if (element.empty()) return;
    unsigned line = numbers[static_cast<std::size_t>(element.data() - text.data())];
    std::vector<std::vector<std::string>> all = parts_of_name(element);
    for (const auto& factor : factors_of_parts(all, left)) factors_.insert(factor);
    for_each_product(all, [&](const std::string& name) {
      if (envlist_.size() >= kMostNames || left == 0) return false;
      --left;
      std::vector<std::string_view> factors = split(name, '-');
      if (std::all_of(factors.begin(), factors.end(), is_factor)) envlist_.push_back({name, file_, line});
      return true;
    });
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (std::size_t end = group_end(text, i); end != std::string::npos) {
      i = end;
    } else if (text[i] == ',' || text[i] == ' ' || text[i] == '\t') {
      add(i);
      begin = i + 1;
    }
  }
}

void FactorTable::read_lists(const std::vector<IniSection>& sections, Faults& faults) {
  for (const IniSection& section : sections) {
    auto either = [&](std::string_view name, std::string_view other) {
      const IniKey* key = section.find(name);
      return key != nullptr ? key : section.find(other);  // tox 4 has new names besides the old ones
    };
    if (section.name == "tox")
      if (const IniKey* key = either("envlist", "env_list")) read_envlist(*key);
    if (const IniKey* setenv = either("setenv", "set_env")) add_platforms(*setenv, file_, faults, platforms_);
  }
  for (const std::vector<ListedName>* list : {&envlist_, &platforms_})
    for (const ListedName& listed : *list)
      for (std::string_view factor : split(listed.name, '-'))
        if (is_factor(factor)) factors_.emplace(factor);
}

void FactorTable::warn_of_settings(Faults& faults) const {
  const Section* common = section(std::string(kCommonSection));
  const std::vector<Line>* lines = common == nullptr ? nullptr : settings_of(*common);
  if (lines == nullptr) return;
  for (const Line& line : *lines)
    if (!line.fault.empty()) faults.add(place(line.number), line.fault);
}

FactorTable FactorTable::parse(std::string_view text, const std::string& file, Faults& faults) {
  FactorTable table;
  table.file_ = file;
  Faults own;
  std::vector<IniSection> sections = parse_ini(text, file, own);
  for (const IniSection& section : sections) table.add_section(section);
  table.meaning_ = table.factors_;
  table.read_lists(sections, own);
  table.warn_of_settings(own);
  table.warnings_ = own.list();
  for (const Fault& fault : own.list()) faults.add(fault.where, fault.what);
  return table;
}

std::optional<FactorTable> FactorTable::read(const fs::path& tree) {
  constexpr std::string_view kFile = "tox.ini";
  FactorTable table;
  try {
    std::optional<std::string> text = read_inside(tree, std::string(kFile));
    if (!text) return std::nullopt;
    Faults faults;
    table = parse(*text, std::string(kFile), faults);
  } catch (const Error& error) {
    table.file_ = kFile;
    table.unreadable_ = error.faults().front();
    table.warnings_ = error.faults();
    return table;
  }
  // A tox.ini that only tests Python code does not define containers.
  if (!table.meaning_.contains("docker")) return std::nullopt;
  table.file_of_tree_ = [tree](const std::string& name) { return read_inside(tree, name); };
  return table;
}

const FactorTable::Section* FactorTable::section(const std::string& name) const {
  auto found = section_of_.find(name);
  return found == section_of_.end() ? nullptr : &sections_[found->second];
}

const std::vector<FactorTable::Line>* FactorTable::lines_of(const Section& section, std::string_view key) {
  auto found = section.keys.find(folded(key));
  return found == section.keys.end() ? nullptr : &found->second;
}

const std::vector<FactorTable::Line>* FactorTable::settings_of(const Section& section) {
  const std::vector<Line>* lines = lines_of(section, "setenv");
  return lines != nullptr ? lines : lines_of(section, "set_env");
}

std::string FactorTable::place(unsigned line) const {
  return fmt::format("{}:{}", file_, line);
}

// tox looks for a key in [testenv:NAME], then in the sections that its `base` names; by default [testenv].
std::vector<const FactorTable::Section*> FactorTable::sections_of(std::string_view environment) const {
  std::vector<const Section*> all;
  std::vector<std::string> names = {std::string(kTestSection) + std::string(environment)};
  if (section(names.front()) == nullptr) names = {std::string(kCommonSection)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Section* found = section(names[i]);
    if (found == nullptr) found = section(std::string(kTestSection) + names[i]);
    if (found == nullptr || std::find(all.begin(), all.end(), found) != all.end()) continue;
    all.push_back(found);
    const std::vector<Line>* base = lines_of(*found, "base");
    if (base == nullptr) names.emplace_back(kCommonSection);
    if (base == nullptr) continue;
    for (const Line& line : *base)
      for (std::string_view part : split(line.text, ',')) names.emplace_back(trimmed(part));
  }
  return all;
}

// Collects the lines that apply to one environment.
class FactorTable::Collector {
 public:
  Collector(const FactorTable& table, std::string_view environment, const Replace& replace)
      : table_(table), replace_(replace) {
    for (std::string_view factor : split(environment, '-')) factors_.insert(factor);
  }

  std::map<std::string, std::string> settings(const std::vector<const Section*>& sections) {
    for (const Section* section : sections) {
      for (const IniFault& fault : section->faults) {
        std::string key = folded(fault.key);
        if (key.empty() || key == "setenv" || key == "set_env")
          faults_.add(fault.fault.where, fault.fault.what);
      }
      if (const std::vector<Line>* lines = settings_of(*section)) {
        add(*lines);
        break;
      }
    }
    faults_.throw_if_any();
    return std::move(settings_);
  }

  bool holds(const Line& line) const {
    auto has = [&](const Factor& factor) { return factors_.contains(factor.name) != factor.negated; };
    auto all_hold = [&](const Alternative& one) { return std::all_of(one.begin(), one.end(), has); };
    if (!line.words.empty() && !line.fault.empty())
      return std::any_of(line.words.begin(), line.words.end(),
                         [&](const std::string& word) { return factors_.contains(word); });
    return line.condition.empty() || std::any_of(line.condition.begin(), line.condition.end(), all_hold);
  }

 private:
  static constexpr std::size_t kMostLines = 100'000;  // because references can expand exponentially

  void add(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      if (!holds(line) || line.text.empty()) continue;
      std::string where = table_.place(line.number);
      if (++lines_read_ > kMostLines || open_.size() > kDeepest) {
        faults_.add(where, fmt::format("`{}`: refers to too many values, or to itself", shown(line.text)));
        return;
      }
      if (!line.fault.empty())
        faults_.add(where, line.fault);
      else if (line.text.starts_with(kFileLine))
        add_file(replaced(std::string_view(line.text).substr(kFileLine.size())), where);
      else if (has_braces(std::string_view(line.text).substr(0, line.text.find('='))))
        add_reference(line.text, where);
      else
        add_setting(line.text, where);
    }
  }

  void add_setting(std::string_view text, const std::string& where) {
    std::size_t end = text.find('=');
    std::string key(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos || key.empty() || key.find_first_of(" \t{}") != std::string::npos)
      return faults_.add(where,
                         fmt::format("`{}` is not a setting; a setting looks like `KEY=VALUE`", shown(text)));
    settings_[std::move(key)] = std::string(trimmed(text.substr(end + 1)));
  }

  // `{[SECTION]KEY}`, or another line that becomes one after replacement.
  void add_reference(const std::string& text, const std::string& where) {
    if (auto [section, key] = section_and_key(text); !section.empty()) {
      const Section* found = table_.section(section);
      const std::vector<Line>* lines = found == nullptr ? nullptr : lines_of(*found, key);
      if (lines == nullptr)
        return faults_.add(where, fmt::format("`{}`: there is no such section and key", shown(text)));
      if (std::find(open_.begin(), open_.end(), lines) != open_.end())
        return faults_.add(where, fmt::format("`{}`: refers to itself", shown(text)));
      open_.push_back(lines);
      add(*lines);
      open_.pop_back();
      return;
    }
    std::string said = replaced(text);
    for (std::string_view line : lines(said))
      if (!trimmed(line).empty()) add_setting(trimmed(line), where);
  }

  void add_file(const std::string& said, const std::string& where) {
    constexpr std::string_view kTree = "{toxinidir}/";
    std::string name(trimmed(said));
    if (name.starts_with(kTree)) name.erase(0, kTree.size());
    std::optional<std::string> content;
    try {
      if (table_.file_of_tree_) content = table_.file_of_tree_(name);
    } catch (const Error& error) {
      for (const Fault& fault : error.faults()) faults_.add(where, fault.text());
      return;
    }
    if (!content) return faults_.add(where, fmt::format("the file {} does not exist", shown(name)));
    for (std::string_view line : lines(*content)) {
      std::string_view setting = trimmed(line);
      if (setting.empty() || setting.front() == '#') continue;
      add_setting(setting, where);
    }
  }

  std::string replaced(std::string_view text) const { return replace_ ? replace_(text) : std::string(text); }

  static constexpr std::size_t kDeepest = 100;
  const FactorTable& table_;
  const Replace& replace_;
  std::set<std::string_view> factors_;
  std::map<std::string, std::string> settings_;
  std::vector<const std::vector<Line>*> open_;  // references whose lines are being read
  std::size_t lines_read_ = 0;
  Faults faults_;
};

std::map<std::string, std::string> FactorTable::settings(std::string_view environment,
                                                         const Replace& replace) const {
  if (unreadable_) throw bad_input(unreadable_->where, unreadable_->what);
  return Collector(*this, environment, replace).settings(sections_of(environment));
}

std::optional<std::string> FactorTable::value(std::string_view section_name, std::string_view key,
                                              std::string_view environment) const {
  const Section* found = section(std::string(section_name));
  const std::vector<Line>* lines = found == nullptr ? nullptr : lines_of(*found, key);
  if (lines == nullptr) return std::nullopt;
  Collector collector(*this, environment, nullptr);
  std::vector<std::string> kept;
  for (const Line& line : *lines)
    if (collector.holds(line)) kept.push_back(line.text);
  return join(kept, "\n");
}

std::vector<std::string> FactorTable::unknown_factors(std::string_view environment) const {
  std::vector<std::string> unknown;
  for (std::string_view factor : split(environment, '-'))
    if (!factors_.contains(factor)) unknown.emplace_back(factor);
  return unknown;
}

void FactorTable::check_factors(std::string_view environment) const {
  if (unreadable_) throw bad_input(unreadable_->where, unreadable_->what);
  constexpr std::size_t kLongest = 255;  // bytes; registries accept no longer names
  if (environment.size() > kLongest)
    throw bad_input("", fmt::format("environment {}: its name is longer than {} characters",
                                    shown(environment), kLongest));
  std::vector<std::string> unknown = unknown_factors(environment);
  if (unknown.empty()) return;
  std::vector<std::string> texts;
  std::vector<std::string> known(factors_.begin(), factors_.end());
  for (const std::string& factor : unknown) {
    std::vector<std::string> near = nearest(factor, known);
    texts.push_back(fmt::format("`{}`{}", shown(factor),
                                near.empty() ? "" : " (did you mean " + join(near, " or ") + "?)"));
  }
  throw bad_input("", fmt::format("environment {}: {} has no {} {}; `stagemake envs` lists the environments",
                                  printable(environment), file_, texts.size() == 1 ? "factor" : "factors",
                                  join(texts, ", ")));
}

}  // namespace stagemake
