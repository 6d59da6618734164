// Checks which user and group ids a process has: images hold files of many owners, and package managers run
// programs as other users. A user other than root has more than one id only if /etc/subuid and /etc/subgid
// assign some.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// Why `user` cannot unpack images; empty if there are 65536 ids of each kind. `maps`: /proc/self/uid_map, an
// empty line, and /proc/self/gid_map of a process in the user namespace that containers are made in.
std::string lack_of_ids(std::string_view maps, std::string_view user);

// The commands that assign ids to a user.
std::string ids_advice(std::string_view user);

// The user of this process: a name, or a number if it has no name.
std::string user_name();

}  // namespace stagemake
