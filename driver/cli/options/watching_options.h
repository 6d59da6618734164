// The options of commands that look at runs.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

void add_watching_commands(CLI::App& app, Options& options);  // status, report, logs
// What a run reports besides its display: events for programs, and expected failures.
void add_events_options(CLI::App& command, Options& options);

}  // namespace stagemake
