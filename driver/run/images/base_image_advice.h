// What to do if a base image is nowhere to be found.
#pragma once

#include <string>

namespace stagemake {

// Commands of this engine ("docker") that fetch or make a base image, and the option that names another one.
std::string base_image_advice(const std::string& engine, const std::string& image);

}  // namespace stagemake
