#include "plan/git_ignore.h"

#include <cctype>
#include <utility>

#include "base/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestPattern = 4096;  // bytes; no path is longer

// Blanks at the end do not count, but one behind a backslash does.
std::string_view without_blanks(std::string_view line) {
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
}

// Whether `c` is of a class such as [:digit:]; classes of other names hold nothing.
bool is_of(std::string_view name, unsigned char c) {
  constexpr std::pair<std::string_view, int (*)(int)> kClasses[] = {
      {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank}, {"cntrl", std::iscntrl},
      {"digit", std::isdigit}, {"graph", std::isgraph}, {"lower", std::islower}, {"print", std::isprint},
      {"punct", std::ispunct}, {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  for (auto [known, holds] : kClasses)
    if (known == name) return holds(c) != 0;
  return false;
}

// The end of a set that starts at pattern[at] == '[', and whether `c` is in it; npos where it does not end.
std::size_t match_set(std::string_view pattern, std::size_t at, char c, bool& in) {
  std::size_t i = at + 1;
  bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  in = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern.substr(i).starts_with("[:")) {
      std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        in = in || is_of(pattern.substr(i + 2, end - i - 2), static_cast<unsigned char>(c));
        i = end + 2;
        continue;
      }
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    auto low = static_cast<unsigned char>(pattern[i++]);
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      if (pattern[++i] == '\\' && i + 1 < pattern.size()) ++i;
      high = static_cast<unsigned char>(pattern[i++]);
    }
    auto it = static_cast<unsigned char>(c);
    in = in || (low <= it && it <= high);
  }
  in = in != negated;
  return i < pattern.size() ? i + 1 : std::string_view::npos;
}

// A part of a path against a part of a pattern. Of several `*` only the last is tried again further on:
// nothing is won by an earlier one that takes more.
bool part_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    bool matched = false;
    std::size_t next = p + 1;
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        star = p++;
        star_text = t;
        continue;
      }
      if (pattern[p] == '?') {
        matched = true;
      } else if (pattern[p] == '[') {
        next = match_set(pattern, p, text[t], matched);
        if (next == std::string_view::npos) return false;
      } else {
        std::size_t at = pattern[p] == '\\' ? p + 1 : p;
        if (at == pattern.size()) return false;  // a backslash before nothing
        matched = pattern[at] == text[t];
        next = at + 1;
      }
    }
    if (matched) {
      p = next;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// The same of whole paths, with `**`.
bool path_matches(const std::vector<std::string>& pattern, const std::vector<std::string_view>& path) {
  std::size_t p = 0, i = 0, star = std::string_view::npos, star_path = 0;
  while (i < path.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      if (p + 1 == pattern.size())
        return true;  // what lies below; not the folder itself, at which `path` would have ended
      star = p++;
      star_path = i;
    } else if (p < pattern.size() && part_matches(pattern[p], path[i])) {
      ++p;
      ++i;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      i = ++star_path;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

}  // namespace

GitIgnore::GitIgnore(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  for (std::string_view line : lines(text)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    line = without_blanks(line);
    Pattern pattern;
    if (line.starts_with('!')) {
      pattern.takes_back = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      pattern.folders_only = true;
      line.remove_suffix(1);
    }
    if (line.empty() || line.size() > kLongestPattern) continue;
    // Without a `/` before its end a pattern holds in all folders below.
    if (line.find('/') == std::string_view::npos) pattern.parts.emplace_back("**");
    if (line.starts_with('/')) line.remove_prefix(1);
    for (std::string_view part : split(line, '/'))
      if (part != "**" || pattern.parts.empty() || pattern.parts.back() != "**")
        pattern.parts.emplace_back(part);
    patterns_.push_back(std::move(pattern));
  }
}

GitIgnore::Word GitIgnore::of(std::string_view path, bool is_folder) const {
  if (patterns_.empty()) return Word::Nothing;
  std::vector<std::string_view> parts = split(path, '/');
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern)
    if ((is_folder || !pattern->folders_only) && path_matches(pattern->parts, parts))
      return pattern->takes_back ? Word::TakenBack : Word::Ignored;
  return Word::Nothing;
}

}  // namespace stagemake
