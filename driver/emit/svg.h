// A drawing as a picture: one SVG document that needs nothing else, with no script in it. It can be read on a
// light and on a dark page.
#pragma once

#include <string>

#include "emit/drawing.h"

namespace stagemake {

std::string as_svg(const Drawing& drawing);

}  // namespace stagemake
