// The options of commands that look at runs.
#pragma once

#include "cli/options.h"

namespace stagemake {

void add_watching_commands(CLI::App& app, Options& options);  // status, report, logs
// What a run tells beside what it shows: to programs, and what of its failures is known.
void add_events_options(CLI::App& command, Options& options);

}  // namespace stagemake
