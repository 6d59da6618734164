#include "cli/watching_options.h"

#include <CLI/CLI.hpp>

#include "cli/option_groups.h"

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
  sub.add_option("--run", options.run, "this one of the kept runs (default: the youngest)")->type_name("RUN");
}

void add_expected_failures_option(CLI::App& sub, Options& options) {
  sub.add_option("--expected-failures", options.expected_failures,
                 "failures that are known, a line each: PACKAGE [ENV-PATTERN...] [# why]")
      ->type_name("FILE");
}

void add_status(CLI::App& app, Options& options) {
  CLI::App* sub = command(app, options, Verb::Status, "status", "how a build that runs elsewhere stands");
  add_json_options(*sub, options);
  add_state_option(*sub, options);
  add_tree_options(*sub, options);
}

void add_report(CLI::App& app, Options& options) {
  CLI::App* sub =
      command(app, options, Verb::Report, "report", "what a run came to: for a person, a browser, a program");
  add_run_option(*sub, options);
  sub->add_option("--html", options.html, "a page with all of it")->type_name("FILE");
  sub->add_option("--junit", options.junit, "for CI services: a suite for each environment")
      ->type_name("FILE");
  sub->add_option("--trace", options.trace, "for Perfetto and Chrome: what ran when")->type_name("FILE");
  add_expected_failures_option(*sub, options);
  add_json_options(*sub, options);
  add_state_option(*sub, options);
  add_tree_options(*sub, options);
}

void add_logs(CLI::App& app, Options& options) {
  CLI::App* sub = command(app, options, Verb::Logs, "logs", "what a stage printed, or what a package did");
  sub->add_option_function<std::string>(
         "ENV", [&options](const std::string& name) { options.environments = {name}; }, "environment")
      ->required();
  sub->add_option("STAGE", options.stage, "stage (default: the one that ran last)");
  sub->add_option("PACKAGE", options.package, "only what is of this package");
  sub->add_flag("-f,--follow", options.follow, "go on with what comes, until the stage ends");
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
  command.add_option("--events", options.events, "write what happens there, as lines of JSON")
      ->type_name("FILE");
  add_expected_failures_option(command, options);
}

}  // namespace stagemake
