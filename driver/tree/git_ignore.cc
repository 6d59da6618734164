#include "tree/git_ignore.h"

#include <utility>

#include "base/text/text.h"
#include "tree/glob.h"

namespace stagemake {
namespace {

// Trailing blanks do not count, except one after a backslash.
std::string_view without_blanks(std::string_view line) {
  while (line.ends_with(' ') && !line.ends_with("\\ ")) line.remove_suffix(1);
  return line;
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
    // A pattern without a `/` before its end applies in all folders below.
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
    if ((is_folder || !pattern->folders_only) && path_matches(Globs::OfGit, pattern->parts, parts))
      return pattern->takes_back ? Word::TakenBack : Word::Ignored;
  return Word::Nothing;
}

}  // namespace stagemake
