// What the kernel of this machine says of processes, in /proc: of any process, in containers too, as far as
// they are of this machine. Processes end at any time: what has ended says nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stagemake {

void for_each_process(const std::function<void(pid_t)>& visit);

// /proc/PROCESS/NAME, which has no size; empty where it cannot be read.
std::string proc_file(pid_t process, const char* name);

// What tells its mount namespace from others; empty where that may not be looked at.
std::string mount_namespace_of(pid_t process);

// Of a /proc/PROCESS/status: bytes that the process holds and that cannot be read from a file again: its own
// pages, shared memory, and what was swapped out of these. Pages that several processes share since a fork
// count for each.
std::uint64_t held_memory(std::string_view status);

}  // namespace stagemake
