// When output has colors, and how commands print it.
#pragma once

#include <string_view>

#include "cli/options/options.h"

namespace stagemake {

// Whether lines may be redrawn: not in CI logs, and not if the user's settings say that the terminal cannot
// do it.
bool is_redrawn(int descriptor);

// --color; auto: on such a terminal, unless $NO_COLOR is set.
bool has_colors(const Options& options, int descriptor);
bool has_colors(const Options& options);  // of standard output

// Prints text on standard output that is printable but for our own colors.
void show_painted(std::string_view text);

}  // namespace stagemake
