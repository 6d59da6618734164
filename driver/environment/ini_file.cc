#include "environment/ini_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/text/text.h"

namespace stagemake {
namespace {

// The line up to a comment at its end: a `#` not preceded by a backslash starts one.
std::string without_comment(std::string_view line) {
  std::string kept;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size() && line[i + 1] == '#') {
      kept += '#';
      ++i;
    } else if (line[i] == '#') {
      break;
    } else {
      kept += line[i];
    }
  }
  return std::string(trimmed(kept));
}

// Replaces bytes that are not UTF-8 by `?`.
std::string readable(std::string_view line) {
  std::string kept;
  for (std::size_t at = 0; at < line.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length < line.size() && !is_utf8(line.substr(at, length))) ++length;
    bool is_text = is_utf8(line.substr(at, length));
    kept += is_text ? line.substr(at, length) : "?";
    at += is_text ? length : 1;
  }
  return kept;
}

class IniParser {
 public:
  IniParser(const std::string& file, Faults& faults) : file_(file), faults_(faults) {}

  std::vector<IniSection> parse(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    for (std::string_view line : lines(text)) {
      ++number_;
      if (is_utf8(line)) {
        add(line);
        continue;
      }
      std::string kept = readable(line);
      add(kept);
      bool in_comment = is_utf8(line.substr(0, line.find('#')));
      fault("is not UTF-8", in_comment);
    }
    return std::move(sections_);
  }

 private:
  void add(std::string_view line) {
    std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    std::size_t indent = line.find(content.front());
    if (has_key_ && indent > indent_) {
      if (!skips_) sections_[at_].keys.back().lines.push_back({std::string(content), number_});
      return;
    }
    indent_ = indent;
    if (content.front() == '[')
      add_section(content);
    else
      add_key(content);
  }

  void add_section(std::string_view line) {
    std::size_t end = std::string_view::npos;
    std::string_view said = trimmed(line.substr(0, line.find_first_of("#;")));
    if (said.ends_with(']'))
      end = said.size() - 1;
    else
      end = line.rfind(']');
    bool closes = end != std::string_view::npos;
    std::string name(closes ? line.substr(1, end - 1) : trimmed(line.substr(1)));
    has_key_ = false;
    auto known = index_.find(name);
    bool is_new = known == index_.end();
    if (is_new) {
      at_ = sections_.size();
      index_[name] = at_;
      sections_.push_back({name, number_, {}, {}});
    } else {
      at_ = known->second;
    }
    if (!closes) fault("the section's name has no `]` at its end");
    if (closes && !is_new)
      fault(fmt::format("section [{}] begins a second time; the first time is line {}", shown(name),
                        sections_[at_].number));
  }

  void add_key(std::string_view line) {
    std::size_t end = line.find_first_of("=:");
    // The lines after a faulty one belong to it.
    has_key_ = skips_ = true;
    if (sections_.empty()) return fault("a key must be in a section, and no section has begun");
    if (end == std::string_view::npos || trimmed(line.substr(0, end)).empty())
      return fault("is neither `[section]`, `key = value`, nor the indented line of a value");
    skips_ = false;
    IniSection& section = sections_[at_];
    std::string name(trimmed(line.substr(0, end)));
    std::string folded = name;
    for (char& c : folded) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    auto [known, is_new] = keys_.try_emplace({at_, std::move(folded)}, number_);
    section.keys.push_back({name, number_, {}});
    if (std::string_view value = trimmed(line.substr(end + 1)); !value.empty())
      section.keys.back().lines.push_back({std::string(value), number_});
    if (!is_new)
      fault(fmt::format("`{}` is in [{}] a second time; the first time is line {}", shown(name),
                        shown(section.name), known->second));
  }

  void fault(std::string what, bool in_comment = false) {
    Fault fault{fmt::format("{}:{}", file_, number_), std::move(what)};
    faults_.add(fault.where, fault.what);
    if (sections_.empty() || in_comment) return;
    IniSection& section = sections_[at_];
    section.faults.push_back(
        {has_key_ && !section.keys.empty() ? section.keys.back().name : std::string(), std::move(fault)});
  }

  const std::string& file_;
  Faults& faults_;
  std::vector<IniSection> sections_;
  std::map<std::string, std::size_t> index_;                      // into `sections_`, by name
  std::map<std::pair<std::size_t, std::string>, unsigned> keys_;  // line numbers of keys, by section and name
  std::size_t at_ = 0;                                            // section of the current lines
  std::size_t indent_ = 0;  // of the last line that was not part of a value
  bool has_key_ = false;    // deeper indented lines belong to a key's value ...
  bool skips_ = false;      // ... which is discarded
  unsigned number_ = 0;
};

}  // namespace

const IniKey* IniSection::find(std::string_view key) const {
  auto is_it = [&](const IniKey& candidate) {
    return std::equal(candidate.name.begin(), candidate.name.end(), key.begin(), key.end(),
                      [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); });
  };
  auto found = std::find_if(keys.rbegin(), keys.rend(), is_it);
  return found == keys.rend() ? nullptr : &*found;
}

std::vector<IniSection> parse_ini(std::string_view text, const std::string& file, Faults& faults) {
  return IniParser(file, faults).parse(text);
}

std::vector<IniLine> logical_lines(const IniKey& key) {
  std::vector<IniLine> result;
  bool goes_on = false;
  for (const IniLine& line : key.lines) {
    std::string text = without_comment(line.text);
    bool more = text.ends_with('\\');
    if (more) text.pop_back();
    if (goes_on)
      result.back().text += text;  // blanks before the backslash are part of the value, and nothing is added
    else if (!text.empty() || more)
      result.push_back({std::move(text), line.number});
    goes_on = more;
  }
  for (IniLine& line : result) line.text = std::string(trimmed(line.text));
  std::erase_if(result, [](const IniLine& line) { return line.text.empty(); });
  return result;
}

}  // namespace stagemake
