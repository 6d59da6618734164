#include "cli/options/watching_options.h"

#include <CLI/CLI.hpp>

#include "cli/options/option_groups.h"

namespace stagemake {
namespace {

CLI::App* command(CLI::App& app, Options& options, Verb verb, const char* name, const char* what) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->callback([&options, verb] { options.verb = verb; });
  return sub;
}

void add_state_option(CLI::App& sub, Options& options) {
  sub.add_option("--state", options.state, "folder for logs and caches [$STAGEMAKE_STATE]")->type_name("DIR");
}

void add_run_option(CLI::App& sub, Options& options) {
  sub.add_option("--run", options.run,
                 "which of the recorded runs, by its name or a prefix of it (default: the latest that built "
                 "something or failed)")
      ->type_name("RUN");
}

void add_expected_failures_option(CLI::App& sub, Options& options) {
  sub.add_option("--expected-failures", options.expected_failures,
                 "known failures, one per line: PACKAGE [ENV-PATTERN...] [# why]")
      ->type_name("FILE");
}

void add_status(CLI::App& app, Options& options) {
  CLI::App* sub =
      command(app, options, Verb::Status, "status", "progress of a build that runs in another terminal");
  add_color_option(*sub, options);
  add_json_options(*sub, options);
  add_state_option(*sub, options);
  add_tree_options(*sub, options);
}

void add_report(CLI::App& app, Options& options) {
  CLI::App* sub =
      command(app, options, Verb::Report, "report", "summary of a run as text, HTML, JUnit or JSON");
  add_run_option(*sub, options);
  sub->add_flag("--list", options.list_runs, "list the recorded runs, the latest first");
  sub->add_option("--html", options.html, "write an HTML page with everything")->type_name("FILE");
  sub->add_option("--junit", options.junit, "write JUnit XML for CI services: one suite per environment")
      ->type_name("FILE");
  sub->add_option("--trace", options.trace, "write a trace for Perfetto or Chrome: what ran when")
      ->type_name("FILE");
  add_expected_failures_option(*sub, options);
  add_whole_lists_option(*sub, options);
  add_color_option(*sub, options);
  add_json_options(*sub, options);
  add_state_option(*sub, options);
  add_tree_options(*sub, options);
}

void add_logs(CLI::App& app, Options& options) {
  CLI::App* sub = command(app, options, Verb::Logs, "logs", "output of a stage, or of one package in it");
  sub->add_option_function<std::string>(
         "ENV", [&options](const std::string& name) { options.environments = {name}; }, "environment")
      ->required();
  sub->add_option("STAGE", options.stage, "stage (default: the one that ran last)");
  sub->add_option("PACKAGE", options.package, "only the lines of this package");
  sub->add_flag("-f,--follow", options.follow, "follow the output until the stage ends");
  add_engine_options(*sub, options);
  add_tree_options(*sub, options);
  add_stages_options(*sub, options);
}

}  // namespace

void add_watching_commands(CLI::App& app, Options& options) {
  add_status(app, options);
  add_report(app, options);
  add_logs(app, options);
}

void add_events_options(CLI::App& command, Options& options) {
  InGroup group(command, "Output");
  command.add_option("--events", options.events, "write events to this file as JSON lines")
      ->type_name("FILE");
  add_expected_failures_option(command, options);
}

}  // namespace stagemake
