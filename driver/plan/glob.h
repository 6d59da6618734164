// Patterns of file names as .gitignore and .dockerignore have them: `*`, `?`, sets in `[]`, a backslash
// before what stands for itself, and `**` for any number of folders. The time to match is bounded by the
// product of the lengths, whatever the pattern (that of fnmatch(3) is not, and patterns come from trees of
// others).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

constexpr std::size_t kLongestPattern = 4096;  // bytes; no path is longer, and a longer pattern is no one's

// In what the two tools differ.
enum class Globs {
  OfDocker,  // Go's filepath.Match: `?` is a character of UTF-8; sets are negated by `^`
  OfGit,     // git's wildmatch: `?` is a byte; sets are negated by `!` or `^`, and hold classes such as
             // `[:digit:]`
};

// One part of a path, without `/`, against one part of a pattern. A set that does not end matches nothing.
bool part_matches(Globs globs, std::string_view pattern, std::string_view part);

// A whole path against a whole pattern, both as parts. A part `**` stands for any number of folders, none
// too; at the end it stands for everything below, and not for the folder itself.
bool path_matches(Globs globs, const std::vector<std::string>& pattern,
                  const std::vector<std::string_view>& path);

}  // namespace stagemake
