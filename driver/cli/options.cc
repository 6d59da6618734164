#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/standard_streams.h"
#include "base/text.h"
#include "cli/environment_options.h"
#include "cli/help_formatter.h"
#include "cli/inspection_options.h"
#include "cli/network_options.h"
#include "cli/option_groups.h"
#include "cli/watching_options.h"

namespace stagemake {
namespace {

class Parser {
 public:
  Parser()
      : app_(
            "Builds the container images of a make-based source distribution, stage by\nstage, and "
            "resumes.\n",
            "stagemake") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "stagemake " STAGEMAKE_VERSION);
    app_.formatter(std::make_shared<HelpFormatter>(34));
    app_.footer(
        "`stagemake COMMAND --help` says more. Exit status: 0 all well, 1 a stage failed,\n"
        "2 bad usage or input, 3 no usable container engine, 75 the deadline came and the\n"
        "same command goes on, 130 and 143 after SIGINT and SIGTERM.");
    add_build();
    add_explain();
    add_simulate();
    add_jobs();
    add_watching_commands(app_, options_);
    add_plan();
    add_names(Verb::Stages, "stages", "names of the stages, parents first");
    add_env();
    add_envs();
    add_one_environment(Verb::SystemPackages, "system-packages",
                        "the system's packages that an environment installs, and how");
    add_dockerfile();
    add_tox();
    add_list();
    add_packages();
    add_snapshots();
    add_shell();
    add_clean();
    add_gc();
    add_doctor();
    add_completion();
    add_inspections();
    // Names of commands are shorter than options: their list fits 80 columns so.
    app_.formatter(std::make_shared<HelpFormatter>(18));
  }

  ParsedOptions parse(int argc, const char* const* argv) {
    try {
      options_.command_line.assign(argv, argv + argc);
      app_.parse(argc, argv);
      complete_options(options_);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {  // --help, --version
        app_.exit(error);
        return {options_, 0};
      }
      // CLI11 has statuses of its own; ours says 2 for any bad usage.
      say(fmt::format("stagemake: {}", usage_text(error, argc, argv)));
      return {options_, static_cast<int>(ExitStatus::BadInput)};
    }
    return {options_, std::nullopt};
  }

  const CLI::App& app() const { return app_; }

 private:
  std::string usage_text(const CLI::ParseError& error, int argc, const char* const* argv) {
    std::vector<CLI::App*> used = app_.get_subcommands();
    if (used.empty() && argc > 1 && argv[1][0] != '-') {
      std::vector<std::string> commands;
      for (const CLI::App* sub : app_.get_subcommands([](const CLI::App*) { return true; }))
        commands.push_back(sub->get_name());
      std::vector<std::string> near = nearest(argv[1], commands);
      return fmt::format(
          "no command is named {}; {}", printable(argv[1]),
          near.empty() ? "there are " + join(commands, ", ") : "did you mean " + join(near, " or ") + "?");
    }
    std::string what = used.empty() ? "which command?" : complaint(error, *used.front());
    return fmt::format("{}\n`stagemake {}--help` lists {}", what,
                       used.empty() ? "" : used.front()->get_name() + " ",
                       used.empty() ? "the commands" : "the options");
  }

  // What is wrong with a command's arguments; an unknown option is named together with similar ones.
  static std::string complaint(const CLI::ParseError& error, const CLI::App& used) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError))
      return printable(error.what());
    std::vector<std::string> extra = used.remaining(true);
    if (extra.empty() && used.get_parent() != nullptr)  // it stands before the command
      return fmt::format("`stagemake` does not take {} before {}", some_of(used.get_parent()->remaining()),
                         used.get_name());
    std::vector<std::string> known, near;
    for (const CLI::Option* option : used.get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    for (const std::string& word : extra)
      if (word.starts_with("--") && near.empty()) near = nearest(word.substr(0, word.find('=')), known);
    return fmt::format("`stagemake {}` does not take {}{}", used.get_name(), some_of(extra),
                       near.empty() ? "" : "; did you mean " + join(near, " or ") + "?");
  }

  CLI::App* command(Verb verb, const char* name, const char* what) {
    CLI::App* sub = app_.add_subcommand(name, what);
    sub->callback([this, verb] { options_.verb = verb; });
    return sub;
  }

  void add_at_once_option(CLI::App* sub) {
    sub->add_option("-j,--jobs,--at-once", options_.at_once,
                    "stages that may run at the same time (default: half as many as job slots, at least 2)")
        ->type_name("N")
        ->check(CLI::Range(1u, 1000u));
  }

  CLI::Option* add_slots_option(CLI::App* sub, const char* what) {
    return sub->add_option("--slots", options_.slots, what)->type_name("N");
  }

  void add_build() {
    CLI::App* sub = command(Verb::Build, "build", "build environments; what is built already is reused");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    add_at_once_option(sub);
    add_slots_option(
        sub,
        "jobs of all makes together; each may use all that no other needs; off: each has its own "
        "(default: those of a calling make -jN, else --numproc, else the processors)")
        ->transform(CLI::Validator(
            [](std::string& text) {
              if (text == "off") text = "0";
              return std::string();
            },
            ""))
        ->check(CLI::Range(0u, 100'000u));
    sub->add_flag("-n,--dry-run", options_.dry_run, "say what would be done, and touch nothing");
    sub->add_flag("-k,--keep-going,!--stop-at-failure", options_.keep_going,
                  "after a failure, go on with other environments (default: yes)");
    sub->add_flag("--discard-unsaved", options_.discard_unsaved,
                  "remove containers of earlier runs whose work cannot be saved; it is lost");
    sub->add_flag("-s,--quiet", options_.quiet, "say only what fails");
    sub->add_flag("-v,--verbose", options_.verbose, "show what stages print, too");
    add_events_options(*sub, options_);
    sub->add_flag("--count-calls", options_.count_calls,
                  "say at the end how often the engine was called, and for what");
    sub->add_option("--color", options_.color, "whether to use colours")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    sub->add_option_function<std::string>(
           "--push",
           [this](const std::string& word) {
             options_.push = word == "no"         ? Options::Push::No
                             : word == "required" ? Options::Push::Required
                                                  : Options::Push::Try;
           },
           "whether what cannot be pushed makes the command fail (default: try)")
        ->type_name("no|try|required")
        ->check(CLI::IsMember({"no", "try", "required"}));
    add_restore_options(*sub, options_);
    add_network_option(*sub, options_);
    add_limits_options(*sub, options_);
    add_host_shell_option(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_explain() {
    CLI::App* sub = command(Verb::Explain, "explain", "say for each stage what a build would do, and why");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    add_restore_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_simulate() {
    CLI::App* sub = command(Verb::Simulate, "simulate",
                            "how long a build would take, here and on more machines, by what was learned");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    add_at_once_option(sub);
    add_slots_option(sub, "job slots of a machine (default: as many as a build has here)")
        ->check(CLI::Range(1u, 100'000u));
    sub->add_option("--machines", options_.machines, "so many of them (default: 1, and what more would give)")
        ->type_name("N")
        ->check(CLI::Range(1u, 10'000u));
    sub->add_option("--durations", options_.durations, "seconds of packages, a line each: PACKAGE SECONDS")
        ->type_name("FILE");
    add_deadline_options(*sub, options_);
    add_memory_option(*sub, options_);
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    add_restore_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_jobs() {
    CLI::App* sub = command(Verb::Jobs, "jobs", "change how many job slots a build that runs has");
    sub->add_option("N", options_.slots, "job slots from now on")
        ->required()
        ->check(CLI::Range(1u, 100'000u));
    sub->add_option("--state", options_.state, "folder for logs and caches [$STAGEMAKE_STATE]")
        ->type_name("DIR");
    add_tree_options(*sub, options_);
  }

  void add_plan() {
    CLI::App* sub = command(Verb::Plan, "plan", "the stages in order: parent, make targets, packages, key");
    add_environment_options(*sub, options_, false);
    add_to_option(*sub, options_,
                  "only this stage and those before it, repeatable (default: all) [$DOCKER_TARGETS]");
    add_network_option(*sub, options_);
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_names(Verb verb, const char* name, const char* what) {
    CLI::App* sub = command(verb, name, what);
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  CLI::App* add_one_environment(Verb verb, const char* name, const char* what) {
    CLI::App* sub = command(verb, name, what);
    add_environment_options(*sub, options_, true);
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
    return sub;
  }

  void add_env() {
    CLI::App* sub =
        add_one_environment(Verb::Env, "env", "what an environment's name means: all its variables");
    add_images_options(*sub, options_);
    add_targets_options(*sub, options_);
  }

  void add_envs() {
    CLI::App* sub = command(Verb::Envs, "envs", "names of the environments that the tree offers");
    sub->add_flag("--systems", options_.systems, "only their systems");
    sub->add_flag("--packages", options_.package_factors, "only what a name can say of the set of packages");
    sub->add_flag("--by-system", options_.by_system, "for people: system by system");
    sub->add_option("--prefix", options_.prefix, "what to put in front of each name")->type_name("TEXT");
    sub->add_flag("--check", options_.check,
                  "names in tox.ini's lists and in workflows that tox.ini no longer knows; status 1 if any");
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_dockerfile() {
    CLI::App* sub = command(Verb::Dockerfile, "dockerfile", "a Dockerfile with an environment's stages");
    add_environment_options(*sub, options_, true);
    sub->add_option("-o,--output", options_.output, "write it there instead of printing it")
        ->type_name("FILE");
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_tox() {
    CLI::App* sub = command(Verb::Tox, "tox", "what a tree's tox.ini calls: build the environment");
    sub->add_option("TARGET", options_.arguments,
                    "tox's positional arguments: make targets (default: build)");
    add_host_shell_option(*sub, options_);
    add_network_option(*sub, options_);
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_list() {
    CLI::App* sub = command(Verb::List, "list", "names of packages, sorted");
    sub->add_option("SELECTOR", options_.query.selectors,
                    "package names, :all: :standard: :optional: :experimental:");
    sub->add_option("--has-file", options_.query.has_file, "with one of these files; repeated: with each")
        ->type_name("A|B")
        ->allow_extra_args(false);
    sub->add_option("--no-file", options_.query.no_file, "with none of these files")
        ->type_name("A|B")
        ->allow_extra_args(false);
    sub->add_option("--exclude", options_.query.exclude, "not this one")
        ->type_name("PACKAGE")
        ->allow_extra_args(false);
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
  }

  void add_packages() {
    CLI::App* sub =
        command(Verb::Packages, "packages", "what make would build for targets from an empty tree, in order");
    sub->add_option("MAKE_TARGET", options_.make_targets, "targets of the tree's makefiles, and packages")
        ->required();
    sub->add_option("--dummy", options_.dummies, "packages taken from the system")
        ->type_name("NAME,…|@FILE")
        ->allow_extra_args(false);
    sub->add_option("--installed", options_.installed, "optional packages that count as installed")
        ->type_name("NAME,…|@FILE")
        ->allow_extra_args(false);
    sub->add_option(
           "--sage-check", options_.sage_check,
           "with the packages that only tests need, as make does with SAGE_CHECK=warn or yes (default: no)")
        ->check(CLI::IsMember({"no", "warn", "yes"}));
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
  }

  void add_snapshots() {
    CLI::App* sub = command(Verb::Snapshots, "snapshots", "the images of this distribution, newest first");
    sub->add_option("ENV", options_.environments, "only these environments");
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_shell() {
    CLI::App* sub =
        command(Verb::Shell, "shell", "open a shell in a stage's newest image, finished or failed");
    sub->add_option_function<std::string>(
           "ENV", [this](const std::string& name) { options_.environments = {name}; }, "environment")
        ->required();
    sub->add_option("STAGE", options_.stage, "stage (default: the newest image of the environment)");
    sub->add_flag("-n,--dry-run", options_.dry_run, "print the command");
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_clean() {
    CLI::App* sub = command(Verb::Clean, "clean", "remove the images of environments, saying which");
    sub->add_option("ENV", options_.environments, "environments")->required();
    CLI::Option* containers =
        sub->add_flag("--containers", options_.containers,
                      "remove no images, but containers with work that could not be saved; it is lost");
    sub->add_option(
           "--export", options_.export_to,
           "write the container's files there first, as a tar file that `docker import` takes (-: standard "
           "output)")
        ->type_name("FILE")
        ->needs(containers);
    sub->add_flag("-n,--dry-run", options_.dry_run, "say which, and remove none");
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_gc() {
    CLI::App* sub = command(Verb::Gc, "gc", "remove images that are superseded, or until there is room");
    sub->add_option("ENV", options_.environments, "only of these environments");
    sub->add_option("--keep-days", options_.eviction.keep_days, "keep what is younger")
        ->type_name("N")
        ->check(CLI::Range(0u, 100'000u));
    sub->add_option("--keep", options_.eviction.keep,
                    "keep the newest N finished images of each environment and stage")
        ->type_name("N")
        ->check(CLI::Range(0u, 100'000u));
    add_size_option(*sub, "--max-size", options_.eviction.max_size,
                    "go on, by what is built again soonest, until images take no more than this");
    add_size_option(*sub, "--min-free", options_.eviction.min_free,
                    "go on until that much is free where the engine keeps images");
    sub->add_flag("-n,--dry-run", options_.dry_run, "say which would go and which stay, and remove none");
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_doctor() {
    add_json_options(
        *command(Verb::Doctor, "doctor", "which container engines work here, and what is missing"), options_);
  }

  void add_completion() {
    CLI::App* sub = command(Verb::Completion, "completion",
                            "completion for a shell: `source <(stagemake completion bash)`");
    sub->add_option("SHELL", options_.shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
  }

  void add_inspections() {
    add_why_options(
        *command(Verb::Why, "why", "why a package is built: its stage, who needs it, times, reasons"),
        options_);
    add_graph_options(
        *command(Verb::Graph, "graph", "draw stages, the packages of one, or what hangs on a package"),
        options_);
    add_diff_options(
        *command(Verb::Diff, "diff", "what a change makes to be built again, where, and how long that takes"),
        options_);
    add_repro_options(*command(Verb::Repro, "repro", "plain engine commands that repeat a stage by hand"),
                      options_);
  }

  CLI::App app_;
  Options options_;
};

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
  return Parser().parse(argc, argv);
}

void with_command_line(const std::function<void(const CLI::App&)>& look) {
  Parser parser;
  look(parser.app());
}

}  // namespace stagemake
