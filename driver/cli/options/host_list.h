// --hosts: the docker hosts of a command.
#pragma once

#include <string>
#include <vector>

#include "engine/host.h"

namespace stagemake {

// "NAME=PLACE[,slots=N][,jobs=N][,memory=SIZE],…": settings belong to the host before them. "@FILE" reads the
// same from a file, where blanks and line ends separate too, and `#` begins a comment. Throws Error
// (BadInput) with file and line for what is not of this form, a name that occurs twice, and a list without
// hosts.
std::vector<HostSpec> host_list(const std::string& text);

}  // namespace stagemake
