// Options that several commands share, in groups. Values go to `options`, which must live as long as
// `command`.
#pragma once

#include "cli/options/options.h"

namespace stagemake {

// While it lives, added options appear under this heading in the help.
class InGroup {
 public:
  InGroup(CLI::App& command, const std::string& heading);
  ~InGroup();
  InGroup(const InGroup&) = delete;
  InGroup& operator=(const InGroup&) = delete;

 private:
  CLI::App& command_;
  std::string before_;
};

// Which environments: names, patterns, whole systems, sets of packages, exceptions, and which start first.
void add_choice_options(CLI::App& command, Options& options);
void add_which_options(CLI::App& command, Options& options);  // the same except which start first
void add_tree_options(CLI::App& command, Options& options);   // which tree, and how it is read
void add_host_shell_option(CLI::App& command, Options& options);
void add_trust_option(CLI::App& command, Options& options);
void add_signing_options(CLI::App& command, Options& options);
void add_stages_options(CLI::App& command, Options& options);          // the stage table
void add_engine_options(CLI::App& command, Options& options);          // container engine, state folder
void add_hosts_option(CLI::App& command, Options& options);            // several hosts instead of one engine
void add_images_options(CLI::App& command, Options& options);          // names of images
void add_registries_options(CLI::App& command, Options& options);      // where to look, where to push
void add_registry_hosts_options(CLI::App& command, Options& options);  // how to talk to registries
void add_restore_options(CLI::App& command, Options& options);         // which images a build may start from
void add_deadline_options(CLI::App& command, Options& options);        // when a run ends
void add_limits_options(CLI::App& command, Options& options);          // that, and when a stage is stopped
void add_memory_option(CLI::App& command, Options& options);           // memory limit of all stages together
void add_to_option(CLI::App& command, Options& options, const char* what);
void add_targets_options(CLI::App& command, Options& options);  // up to which stages
void add_json_options(CLI::App& command, Options& options);
void add_color_option(CLI::App& command, Options& options);
void add_whole_lists_option(CLI::App& command, Options& options);  // -v for what text abbreviates

// A size such as 500M.
void add_size_option(CLI::App& command, const char* name, std::optional<std::uint64_t>& size,
                     const char* what);

}  // namespace stagemake
