// A drawing in Graphviz's language, for `dot`.
#pragma once

#include <string>

#include "emit/drawing.h"

namespace stagemake {

std::string as_dot(const Drawing& drawing);

}  // namespace stagemake
