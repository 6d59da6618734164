#include "plan/ini_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace stagemake {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Where a comment begins at the end of a line: at a `#` that no backslash stands before.
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

class IniParser {
 public:
  IniParser(const std::string& file, Faults& faults) : file_(file), faults_(faults) {}

  std::vector<IniSection> parse(std::string_view text) {
    for (std::string_view line : lines(text)) {
      ++number_;
      add(line);
    }
    return std::move(sections_);
  }

 private:
  void add(std::string_view line) {
    std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#') return;
    if (is_blank(line.front())) {
      if (key_ == nullptr)
        fault(content.front() == '[' ? "a section begins at the first column"
                                     : "this line belongs to no key");
      else
        key_->lines.push_back({std::string(content), number_});
      return;
    }
    if (content.front() == ';') return;
    if (content.front() == '[')
      add_section(content);
    else
      add_key(content);
  }

  void add_section(std::string_view line) {
    std::size_t end = line.find(']');
    key_ = nullptr;
    if (end == std::string_view::npos) return fault("the section's name has no `]` at its end");
    sections_.push_back({std::string(line.substr(1, end - 1)), number_, {}});
  }

  void add_key(std::string_view line) {
    std::size_t end = line.find_first_of("=:");
    key_ = nullptr;
    if (sections_.empty()) return fault("a key stands in a section, and none has begun");
    if (end == std::string_view::npos || trimmed(line.substr(0, end)).empty())
      return fault("is neither `[section]`, `key = value`, nor the indented line of a value");
    std::vector<IniKey>& keys = sections_.back().keys;
    keys.push_back({std::string(trimmed(line.substr(0, end))), number_, {}});
    key_ = &keys.back();
    if (std::string_view value = trimmed(line.substr(end + 1)); !value.empty())
      key_->lines.push_back({std::string(value), number_});
  }

  void fault(std::string what) { faults_.add(fmt::format("{}:{}", file_, number_), std::move(what)); }

  const std::string& file_;
  Faults& faults_;
  std::vector<IniSection> sections_;
  IniKey* key_ = nullptr;  // into the last section's keys; a new key or section replaces it
  unsigned number_ = 0;
};

}  // namespace

const IniKey* IniSection::find(std::string_view key) const {
  auto found = std::find_if(keys.rbegin(), keys.rend(),
                            [&](const IniKey& candidate) { return candidate.name == key; });
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
    if (more) text = std::string(trimmed(std::string_view(text).substr(0, text.size() - 1)));
    if (goes_on) {
      std::string& last = result.back().text;
      if (!last.empty() && !text.empty()) last += ' ';
      last += text;
    } else if (!text.empty() || more) {
      result.push_back({std::move(text), line.number});
    }
    goes_on = more;
  }
  std::erase_if(result, [](const IniLine& line) { return line.text.empty(); });
  return result;
}

}  // namespace stagemake
