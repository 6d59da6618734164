#include "plan/git_ignore.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestPattern = 4096;  // bytes; no path is longer
constexpr unsigned kMostSpans = 8;             // `**` in one pattern; each costs another way to match

// Blanks at the end do not count, but one behind a backslash does.
std::string_view without_blanks(std::string_view line) {
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
}

using Parts = std::vector<std::string>;

bool matches(const Parts& pattern, std::size_t p, const std::vector<std::string>& path, std::size_t i) {
  for (; p < pattern.size(); ++p, ++i) {
    if (pattern[p] == "**") {
      if (p + 1 == pattern.size()) return i < path.size();  // what lies below, not the folder itself
      for (std::size_t next = i; next < path.size(); ++next)
        if (matches(pattern, p + 1, path, next)) return true;
      return false;
    }
    if (i == path.size() || ::fnmatch(pattern[p].c_str(), path[i].c_str(), 0) != 0) return false;
  }
  return i == path.size();
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
      if (part != "**" || pattern.parts.empty() || pattern.parts.back() != "**") pattern.parts.emplace_back(part);
    auto spans = static_cast<unsigned>(std::count(pattern.parts.begin(), pattern.parts.end(), "**"));
    if (spans <= kMostSpans) patterns_.push_back(std::move(pattern));
  }
}

GitIgnore::Word GitIgnore::of(std::string_view path, bool is_folder) const {
  if (patterns_.empty()) return Word::Nothing;
  std::vector<std::string> parts;
  for (std::string_view part : split(path, '/')) parts.emplace_back(part);
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern)
    if ((is_folder || !pattern->folders_only) && matches(pattern->parts, 0, parts, 0))
      return pattern->takes_back ? Word::TakenBack : Word::Ignored;
  return Word::Nothing;
}

}  // namespace stagemake
