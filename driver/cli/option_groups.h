// Options that several commands have, in groups. Values go to `options`, which must live as long as
// `command`.
#pragma once

#include "cli/options.h"

namespace stagemake {

// Which environments: names, patterns, whole systems, sets of packages, exceptions, and which come first.
void add_choice_options(CLI::App& command, Options& options);
void add_which_options(CLI::App& command, Options& options);       // the same without which come first
void add_tree_options(CLI::App& command, Options& options);
void add_host_shell_option(CLI::App& command, Options& options);        // which tree, and how it is read
void add_stages_options(CLI::App& command, Options& options);      // the table of stages
void add_engine_options(CLI::App& command, Options& options);      // what runs containers, the state folder
void add_images_options(CLI::App& command, Options& options);      // names of images
void add_registries_options(CLI::App& command, Options& options);  // where to look, where to push
void add_restore_options(CLI::App& command, Options& options);     // which images may be begun in
void add_deadline_options(CLI::App& command, Options& options);    // when a run ends
void add_limits_options(CLI::App& command, Options& options);      // that, and when a stage is given up
void add_memory_option(CLI::App& command, Options& options);       // how much all stages may hold
void add_to_option(CLI::App& command, Options& options, const char* what);
void add_targets_options(CLI::App& command, Options& options);     // up to which stages
void add_json_options(CLI::App& command, Options& options);

// A size as people say it: 500M.
void add_size_option(CLI::App& command, const char* name, std::optional<std::uint64_t>& size,
                     const char* what);

}  // namespace stagemake
