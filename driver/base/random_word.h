// Words that nobody guesses.
#pragma once

#include <string>

namespace stagemake {

// 32 hexadecimal digits from the kernel's random numbers.
std::string random_word();

}  // namespace stagemake
