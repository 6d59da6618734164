// The options of the commands that look at a tree without building: why, graph, diff, repro. Values go to
// `options`, which must live as long as `command`.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

void add_why_options(CLI::App& command, Options& options);
void add_graph_options(CLI::App& command, Options& options);
void add_diff_options(CLI::App& command, Options& options);
void add_repro_options(CLI::App& command, Options& options);

}  // namespace stagemake
