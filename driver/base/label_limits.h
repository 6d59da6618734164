// How long labels may be. Engines get them on their command lines, of which the kernel takes 128 KiB for one
// argument and, with the usual stack, 2 MiB for all; what is longer ends in "Argument list too long".
//
// Thread rule: a pure function.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace stagemake {

inline constexpr std::size_t kLongestLabel = 100'000;    // bytes of a name and its value
inline constexpr std::size_t kMostLabelBytes = 500'000;  // of all together

// Why these labels fit into no command line, fit for a terminal: "its label x has 270 kB, of which at most
// 100 kB can be". Empty where they do. Only those count whose names begin with `prefix`.
std::string unfit_label(const std::map<std::string, std::string>& labels, std::string_view prefix = {});

}  // namespace stagemake
