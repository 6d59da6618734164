// Words in lines that fit a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

inline constexpr std::size_t kTerminalColumns = 80;

// Columns that UTF-8 text takes, where each code point takes one.
std::size_t columns(std::string_view text);

// `words` with a blank between them in lines of at most `width` columns, a longer word in a line of its own.
// The first line begins with `first`, others with as many blanks; all end with "\n". No words: `first` alone.
std::string wrapped(std::string_view first, const std::vector<std::string>& words,
                    std::size_t width = kTerminalColumns);

// The same with `separator` stuck to each word but the last: "a, b" with ",".
std::string wrapped_list(std::string_view first, std::vector<std::string> words,
                         std::string_view separator = ",", std::size_t width = kTerminalColumns);

}  // namespace stagemake
