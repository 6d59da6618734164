// Meaning of an environment's name in a tree without a factor table: the first word is the system, the first
// two are the base image, and minimal, standard or maximal is the set of system packages.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace stagemake {

// SYSTEM, FULL_BASE_IMAGE_AND_TAG and SAGE_PACKAGE_LIST_ARGS, if the name defines them.
std::map<std::string, std::string> name_meaning(std::string_view environment);

}  // namespace stagemake
