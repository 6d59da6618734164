// Reads information about this machine's processes from /proc, including those in containers on this machine.
// Processes end at any time; the results for an ended one are empty.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stagemake {

void for_each_process(const std::function<void(pid_t)>& visit);

// The content of /proc/PROCESS/NAME, whose size is unknown; empty if it cannot be read.
std::string proc_file(pid_t process, const char* name);

// Identifies its mount namespace; empty if access is denied.
std::string mount_namespace_of(pid_t process);

// From the text of a /proc/PROCESS/status: bytes that the process holds and that cannot be read from a file
// again, which are its own pages, shared memory, and swapped-out parts of these. Pages shared since a fork
// count for each process.
std::uint64_t held_memory(std::string_view status);

}  // namespace stagemake
