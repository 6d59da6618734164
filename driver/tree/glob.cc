#include "tree/glob.h"

#include <cctype>
#include <utility>

namespace stagemake {
namespace {

constexpr std::size_t kNever = std::string_view::npos;

// Whether `c` is in a class such as [:digit:]; unknown classes are empty.
bool is_of(std::string_view name, unsigned char c) {
  constexpr std::pair<std::string_view, int (*)(int)> kClasses[] = {
      {"alnum", std::isalnum}, {"alpha", std::isalpha}, {"blank", std::isblank}, {"cntrl", std::iscntrl},
      {"digit", std::isdigit}, {"graph", std::isgraph}, {"lower", std::islower}, {"print", std::isprint},
      {"punct", std::ispunct}, {"space", std::isspace}, {"upper", std::isupper}, {"xdigit", std::isxdigit}};
  for (auto [known, holds] : kClasses)
    if (known == name) return holds(c) != 0;
  return false;
}

// The end of the set that starts at pattern[at] == '[', and whether `c` is in it; kNever if the set does not
// end.
std::size_t match_set(Globs globs, std::string_view pattern, std::size_t at, unsigned char c, bool& in) {
  std::size_t i = at + 1;
  bool negated = i < pattern.size() && (pattern[i] == '^' || (pattern[i] == '!' && globs == Globs::OfGit));
  if (negated) ++i;
  in = false;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (globs == Globs::OfGit && pattern.substr(i).starts_with("[:")) {
      std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        in = in || is_of(pattern.substr(i + 2, end - i - 2), c);
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
    in = in || (low <= c && c <= high);
  }
  in = in != negated;
  return i < pattern.size() ? i + 1 : kNever;
}

// The end of the character that begins at text[at].
std::size_t end_of_character(Globs globs, std::string_view text, std::size_t at) {
  ++at;
  if (globs == Globs::OfDocker)
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
  return at;
}

}  // namespace

bool part_matches(Globs globs, std::string_view pattern, std::string_view part) {
  // Only the last of several `*` is retried further on: a longer match of an earlier one gains nothing.
  std::size_t p = 0, t = 0, star = kNever, star_text = 0;
  while (t < part.size()) {
    bool matched = false;
    std::size_t next = p + 1, next_text = t + 1;
    if (p < pattern.size()) {
      if (pattern[p] == '*') {
        star = p++;
        star_text = t;
        continue;
      }
      if (pattern[p] == '?') {
        matched = true;
        next_text = end_of_character(globs, part, t);
      } else if (pattern[p] == '[') {
        next = match_set(globs, pattern, p, static_cast<unsigned char>(part[t]), matched);
        if (next == kNever) return false;
      } else {
        std::size_t at = pattern[p] == '\\' ? p + 1 : p;
        if (at == pattern.size()) return false;  // a backslash at the end
        matched = pattern[at] == part[t];
        next = at + 1;
      }
    }
    if (matched) {
      p = next;
      t = next_text;
    } else if (star != kNever) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool path_matches(Globs globs, const std::vector<std::string>& pattern,
                  const std::vector<std::string_view>& path) {
  // As with `*`, only the last `**` is retried further down.
  std::size_t p = 0, i = 0, star = kNever, star_path = 0;
  while (i < path.size()) {
    if (p < pattern.size() && pattern[p] == "**") {
      if (p + 1 == pattern.size()) return true;
      star = p++;
      star_path = i;
    } else if (p < pattern.size() && part_matches(globs, pattern[p], path[i])) {
      ++p;
      ++i;
    } else if (star != kNever) {
      p = star + 1;
      i = ++star_path;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

}  // namespace stagemake
