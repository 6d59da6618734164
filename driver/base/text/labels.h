// Labels of images and containers, and limits on their length. Engines get them on their command lines. The
// kernel allows 128 KiB for one argument and, with the usual stack, 2 MiB for all; more fails with "Argument
// list too long".
//
// Thread rule: a pure function.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace stagemake {

using Labels = std::map<std::string, std::string>;

inline constexpr std::size_t kLongestLabel = 100'000;    // bytes of one name and its value
inline constexpr std::size_t kMostLabelBytes = 500'000;  // bytes of all labels together

// Why these labels do not fit in a command line, safe to print on a terminal: "its label x has 270 kB, of
// which at most 100 kB can be". Empty if they fit. Only labels whose names begin with `prefix` count.
std::string unfit_label(const Labels& labels, std::string_view prefix = {});

}  // namespace stagemake
