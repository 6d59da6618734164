// Unguessable random words.
#pragma once

#include <string>

namespace stagemake {

// 32 hexadecimal digits from the kernel's random number generator.
std::string random_word();

}  // namespace stagemake
