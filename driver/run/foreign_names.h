// Names of images that somebody else gave: they are not moved silently.
#pragma once

#include <string>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// Whether the engine has an image under that name that stagemake did not make.
bool is_foreign_name(ContainerEngine& engine, const std::string& name);

// What a name that is left alone is replaced by, so that the image can be reached all the same.
std::string name_beside(const std::string& name);

}  // namespace stagemake
