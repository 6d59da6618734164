// Reads the end of a file of any size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/files/files.h"

namespace stagemake {

inline constexpr std::size_t kLongestTailLine = 64u << 10;  // bytes

struct FileTail {
  // Starts at the beginning of a line. In a line of more than kLongestTailLine bytes, `…` replaces the
  // middle.
  std::string text;
  std::uint64_t skipped_bytes = 0;  // before `text`; 0: `text` is the whole file
  std::uint64_t skipped_lines = 0;
};

// The last `limit` bytes of a file, without a line that starts before them. Needs as much memory as `text`
// has bytes, not as the file has. Nothing if the file does not exist. Throws Error (BadInput, with the path)
// if it cannot be read.
std::optional<FileTail> read_tail(const fs::path& path, std::size_t limit);

}  // namespace stagemake
