// What an environment's name means in a tree that has no factor table: its first word is the system, the
// first two are the base image, and minimal, standard or maximal the set of system packages.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace stagemake {

// SYSTEM, FULL_BASE_IMAGE_AND_TAG and SAGE_PACKAGE_LIST_ARGS, as far as the name says them.
std::map<std::string, std::string> name_meaning(std::string_view environment);

}  // namespace stagemake
