// What a container engine's `top` prints, read. Knows the columns of `ps -o pid,ppid,times,args` and those of
// podman; not how they were asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// A line each, after one with titles: process, parent, processor time, command line. Other lines are left
// out.
std::vector<ContainerProcess> process_table(std::string_view printed);

// Seconds in "12", "1h2m3.5s" or "250ms"; 0 where it is no time.
double processor_seconds(std::string_view text);

// A command line fit for ContainerProcess::command.
std::string command_text(std::string_view line);

}  // namespace stagemake
