// Which user and group ids a process has: images hold files of many owners, and a package manager runs
// programs as other users. A user other than root has more than one id only where /etc/subuid and /etc/subgid
// give some.
#pragma once

#include <string>
#include <string_view>

namespace stagemake {

// `maps`: /proc/self/uid_map, an empty line, /proc/self/gid_map, of a process in the user namespace that
// containers are made in. Why `user` cannot unpack images there; empty where there are 65536 ids of each
// kind.
std::string lack_of_ids(std::string_view maps, std::string_view user);

// The commands that give a user ids.
std::string ids_advice(std::string_view user);

// The user who runs this process: a name, or a number where it has none.
std::string user_name();

}  // namespace stagemake
