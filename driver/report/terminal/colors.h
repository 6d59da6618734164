// Colors of a terminal. State is never shown by color alone.
#pragma once

#include <string>
#include <string_view>

#include "report/events/event.h"

namespace stagemake {

inline constexpr int kBold = 1, kDim = 2, kRed = 31, kGreen = 32;

// `text`, which must be printable, in this color; unchanged if `color` is 0 or not `wanted`.
std::string painted(std::string_view text, int color, bool wanted);

int color_of(StageState state);  // 0: none

}  // namespace stagemake
