// Parses the output of a container engine's `top`. Knows the columns of `ps -o pid,ppid,times,args` and those
// of podman, not how to request them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/container_engine.h"

namespace stagemake {

// One line per process, after a title line: process, parent, processor time, command line. Other lines are
// skipped.
std::vector<ContainerProcess> process_table(std::string_view printed);

// Seconds in "12", "1h2m3.5s" or "250ms"; 0 if it is not a time.
double processor_seconds(std::string_view text);

// A command line in the form of ContainerProcess::command.
std::string command_text(std::string_view line);

}  // namespace stagemake
