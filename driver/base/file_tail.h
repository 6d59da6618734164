// The end of a file that may be of any size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files.h"

namespace stagemake {

inline constexpr std::size_t kLongestTailLine = 64u << 10;  // bytes

struct FileTail {
  // From the beginning of a line on. A line of more than kLongestTailLine bytes has `…` for its middle.
  std::string text;
  std::uint64_t skipped_bytes = 0;  // before it; 0: it is the whole file
  std::uint64_t skipped_lines = 0;
};

// The last `limit` bytes of a file, less a line that they begin within. Takes as much memory as its text has bytes, not
// as the file has. Nothing where there is no such file. Throws Error (BadInput, with the path) where it cannot be read.
std::optional<FileTail> read_tail(const fs::path& path, std::size_t limit);

}  // namespace stagemake
