// The commands. Each returns its exit status, prints to standard output, and throws Error for what ends it.
#pragma once

#include "cli/options.h"

namespace stagemake {

// Of metadata alone: no engine, nothing written.
int list_command(const Options& options);
int packages_command(const Options& options);
int plan_command(const Options& options);
int stages_command(const Options& options);

// Of environments: what their names mean, and what can be made of that without an engine.
int env_command(const Options& options);
int envs_command(const Options& options);
int system_packages_command(const Options& options);
int dockerfile_command(const Options& options);
int completion_command(const Options& options);

// That look closer: at a package, at a drawing of it all, at a change, at one stage by hand.
int why_command(const Options& options);
int graph_command(const Options& options);
int diff_command(const Options& options);
int repro_command(const Options& options);

// That build or look at images.
int build_command(const Options& options);
int tox_command(const Options& options);
int explain_command(const Options& options);
int jobs_command(const Options& options);
int simulate_command(const Options& options);
int snapshots_command(const Options& options);
int shell_command(const Options& options);
int clean_command(const Options& options);
int gc_command(const Options& options);
int doctor_command(const Options& options);

// That look at runs, while they go on or after.
int status_command(const Options& options);
int report_command(const Options& options);
int logs_command(const Options& options);

// The whole program: parses, runs the command, tells errors. Never throws.
int run(int argc, const char* const* argv);

}  // namespace stagemake
