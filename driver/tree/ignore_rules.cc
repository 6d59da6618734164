#include "tree/ignore_rules.h"

#include <algorithm>

#include "base/text/text.h"
#include "tree/glob.h"

namespace stagemake {
namespace {

bool is_plain(std::string_view part) {
  return part.find_first_of("*?[\\") == std::string_view::npos;
}

using Parts = std::vector<std::string>;

// The parts of a pattern as Docker cleans it: without empty parts, `.`, and parts removed by `..`.
Parts cleaned(std::string_view pattern) {
  Parts parts;
  bool absolute = pattern.starts_with('/');
  for (std::string_view part : split(pattern, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else if (part != ".." || !absolute)
      parts.emplace_back(part);
  }
  return parts;
}

// For Docker, `**` is "any folders or none" even inside a part: `a**b` is `ab` or `a*/**/b`, and `a**` at the
// end is `a*`. `**b` is `**/b`, but `**/*b` if the whole pattern begins with it and has no other special
// character. Adds the equivalent patterns in which `**` is always a part of its own.
void add_expanded(Parts parts, std::vector<Parts>& into, unsigned depth = 0) {
  constexpr std::size_t kMost = 64;  // alternatives; no real pattern has so many
  constexpr unsigned kDeepest = 16;  // `**` inside parts, per pattern
  auto inside = std::find_if(parts.begin(), parts.end(), [](const std::string& part) {
    return part.size() > 2 && part.find("**") != std::string::npos;
  });
  if (inside == parts.end() || into.size() >= kMost || depth == kDeepest) {
    into.push_back(std::move(parts));
    return;
  }
  auto at = inside - parts.begin();
  std::size_t stars = inside->find("**");
  std::string before = inside->substr(0, stars);
  std::string after = inside->substr(stars + 2);
  if (after.empty() && inside + 1 != parts.end()) {
    after = *(inside + 1);
    inside = parts.erase(inside + 1) - 1;
  }
  if (after.empty()) {
    *inside = before + "*";
    return add_expanded(std::move(parts), into, depth + 1);
  }
  Parts spread = parts;
  bool plain = is_plain(after) &&
               std::all_of(inside + 1, parts.end(), [](const std::string& part) { return is_plain(part); });
  spread[static_cast<std::size_t>(at)] = before.empty() && at == 0 && plain ? "*" + after : after;
  spread.insert(spread.begin() + at, "**");
  if (!before.empty()) {
    spread.insert(spread.begin() + at, before + "*");
    *inside = before + after;
    add_expanded(std::move(parts), into, depth + 1);
  }
  add_expanded(std::move(spread), into, depth + 1);
}

}  // namespace

IgnoreRules::IgnoreRules(std::string_view dockerignore) {
  if (dockerignore.starts_with("\xef\xbb\xbf")) dockerignore.remove_prefix(3);
  for (std::string_view line : lines(dockerignore)) {
    if (line.starts_with('#')) continue;
    line = trimmed(line);
    bool takes_back = line.starts_with('!');
    if (takes_back) line = trimmed(line.substr(1));
    if (line.size() > kLongestPattern) continue;
    std::vector<Parts> alternatives;
    if (Parts parts = cleaned(line); !parts.empty()) add_expanded(std::move(parts), alternatives);
    for (Parts& parts : alternatives) patterns_.push_back({std::move(parts), takes_back});
  }
}

bool IgnoreRules::excluded(std::string_view path, const Inherited& parent, Inherited& own) const {
  std::vector<std::string_view> parts = split(path, '/');
  own.matched.resize(patterns_.size());
  bool out = false;
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    const Pattern& pattern = patterns_[i];
    bool matched = parent.matched[i] != 0;
    if (!matched) {
      // Most patterns name their first folder; comparing it first avoids nearly all of the work (130 patterns
      // and 10,000 files in Sage).
      const std::string& first = pattern.parts.front();
      if (first == "**" || !is_plain(first) || first == parts.front())
        matched = path_matches(Globs::OfDocker, pattern.parts, parts);
    }
    own.matched[i] = matched ? 1 : 0;
    if (matched) out = !pattern.takes_back;
  }
  return out;
}

bool IgnoreRules::excluded(std::string_view path) const {
  Inherited above = at_root();
  Inherited own;
  bool out = false;
  for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
    out = excluded(path.substr(0, end), above, own);
    if (end == std::string_view::npos) return out;
    std::swap(above, own);
  }
}

bool IgnoreRules::may_take_back_below(std::string_view folder) const {
  std::vector<std::string_view> parts = split(folder, '/');
  return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
    if (!pattern.takes_back) return false;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i >= pattern.parts.size()) return false;
      if (pattern.parts[i] == "**") return true;
      if (!part_matches(Globs::OfDocker, pattern.parts[i], parts[i])) return false;
    }
    return true;
  });
}

}  // namespace stagemake
