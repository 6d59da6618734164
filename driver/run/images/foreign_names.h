// Names that somebody else gave to images: stagemake does not move them silently.
#pragma once

#include <string>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// Whether the engine has an image of that name that stagemake did not make.
bool is_foreign_name(ContainerEngine& engine, const std::string& name);

// The alternative to a name that is left alone, so that the image still has a name.
std::string name_beside(const std::string& name);

}  // namespace stagemake
