// Which messages a person would consider equal.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// A message without the parts that differ between machines or runs with the same failure: process ids,
// addresses, times, temporary names, line numbers, numbers of jobs. Messages with equal results can be
// counted together.
std::string comparable(std::string_view message);

}  // namespace stagemake
