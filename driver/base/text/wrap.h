// Wraps words into lines that fit a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

inline constexpr std::size_t kTerminalColumns = 80;

// Columns that UTF-8 text needs, one per code point.
std::size_t columns(std::string_view text);

// `words` separated by blanks, in lines of at most `width` columns; a longer word gets its own line. The
// first line begins with `first`, the others with as many blanks; all end with "\n". Without words, `first`
// alone.
std::string wrapped(std::string_view first, const std::vector<std::string>& words,
                    std::size_t width = kTerminalColumns);

// The same with `separator` appended to each word but the last: "a, b" with ",".
std::string wrapped_list(std::string_view first, std::vector<std::string> words,
                         std::string_view separator = ",", std::size_t width = kTerminalColumns);

}  // namespace stagemake
