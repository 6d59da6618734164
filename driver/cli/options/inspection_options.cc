#include "cli/options/inspection_options.h"

#include <CLI/CLI.hpp>

#include "cli/options/environment_options.h"
#include "cli/options/network_options.h"
#include "cli/options/option_groups.h"

namespace stagemake {
namespace {

using Form = Options::Inspection::Form;

void add_state_option(CLI::App& command, Options& options) {
  command.add_option("--state", options.state, "folder for logs and caches [$STAGEMAKE_STATE]")
      ->type_name("DIR");
}

void add_env_option(CLI::App& command, Options& options, const char* what) {
  command.add_option("--env", options.environments, what)->type_name("ENV")->allow_extra_args(false);
}

}  // namespace

void add_why_options(CLI::App& command, Options& options) {
  command.add_option("PACKAGE", options.inspection.package, "the package")->required();
  add_env_option(command, options,
                 "environment (default: the one in which the package, or anything, was built last)");
  add_environment_settings(command, options);
  add_whole_lists_option(command, options);
  add_json_options(command, options);
  add_state_option(command, options);
  add_tree_options(command, options);
  add_stages_options(command, options);
}

void add_graph_options(CLI::App& command, Options& options) {
  add_environment_options(command, options, false);
  Form& form = options.inspection.form;
  CLI::Option* stage =
      command.add_option("--stage", options.stage, "show the packages that this stage builds");
  stage->type_name("STAGE");
  command
      .add_option("--package", options.inspection.package, "show what this package needs, and what needs it")
      ->type_name("PACKAGE")
      ->excludes(stage);
  CLI::Option* dot = command.add_flag_callback(
      "--dot", [&form] { form = Form::Dot; }, "print text for Graphviz's dot");
  command
      .add_flag_callback(
          "--svg", [&form] { form = Form::Svg; }, "draw a picture, with Graphviz")
      ->excludes(dot);
  command.add_option("-o,--output", options.output, "write to this file instead of standard output")
      ->type_name("FILE");
  add_state_option(command, options);
  add_tree_options(command, options);
  add_stages_options(command, options);
}

void add_diff_options(CLI::App& command, Options& options) {
  command
      .add_option(
          "REV", options.inspection.revisions,
          "revisions as git knows them: before (default: HEAD), and after (default: the folder as it "
          "is, without files that git ignores); also BEFORE..AFTER, and BASE...AFTER for what a branch "
          "changes")
      ->expected(0, 2);
  add_env_option(command, options,
                 "these environments, or patterns; repeatable (default: all that either revision offers)");
  add_which_options(command, options);
  add_environment_settings(command, options);
  add_to_option(command, options,
                "last stage to compare; repeatable (default: with-targets) [$DOCKER_TARGETS]");
  add_whole_lists_option(command, options);
  add_json_options(command, options);
  add_state_option(command, options);
  add_tree_options(command, options);
  add_stages_options(command, options);
}

void add_repro_options(CLI::App& command, Options& options) {
  command
      .add_option_function<std::string>(
          "ENV", [&options](const std::string& name) { options.environments = {name}; }, "environment")
      ->required();
  CLI::Option* stage = command.add_option("STAGE", options.stage, "stage (default: with-targets)");
  command.add_option("--to", options.stage, "the same")->type_name("STAGE")->excludes(stage);
  add_environment_settings(command, options);
  command.add_option("-o,--output", options.output, "write to this file instead of standard output")
      ->type_name("FILE");
  command.add_flag("--fresh", options.fresh, "start from the base image and ignore existing images");
  add_network_option(command, options);
  add_engine_options(command, options);
  add_images_options(command, options);
  add_tree_options(command, options);
  add_stages_options(command, options);
}

}  // namespace stagemake
