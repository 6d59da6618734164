// Patterns of file names in .gitignore and .dockerignore: `*`, `?`, sets in `[]`, a backslash that escapes
// the next character, and `**` for any number of folders. The time to match is bounded by the product of the
// lengths for every pattern (fnmatch(3) has no such bound, and patterns come from other people's trees).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

constexpr std::size_t kLongestPattern = 4096;  // bytes; no path is longer, so no real pattern is

// The two dialects.
enum class Globs {
  OfDocker,  // Go's filepath.Match: `?` is a UTF-8 character; `^` negates sets
  OfGit,     // git's wildmatch: `?` is a byte; `!` or `^` negates sets, which may contain classes such as
             // `[:digit:]`
};

// Matches one part of a path, without `/`, against one part of a pattern. An unterminated set matches
// nothing.
bool part_matches(Globs globs, std::string_view pattern, std::string_view part);

// Matches a whole path against a whole pattern, both as parts. A part `**` matches any number of folders,
// including none; at the end it matches everything below the folder, but not the folder itself.
bool path_matches(Globs globs, const std::vector<std::string>& pattern,
                  const std::vector<std::string_view>& path);

}  // namespace stagemake
