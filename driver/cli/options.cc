#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "cli/environment_options.h"
#include "cli/help_formatter.h"
#include "cli/times.h"

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
    // Names of commands are shorter than options: their list fits 80 columns so.
    app_.formatter(std::make_shared<HelpFormatter>(18));
  }

  ParsedOptions parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
      complete_options(options_);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {  // --help, --version
        app_.exit(error);
        return {options_, 0};
      }
      // CLI11 has statuses of its own; ours says 2 for any bad usage.
      fmt::print(stderr, "stagemake: {}\n", usage_text(error, argc, argv));
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
    std::string what = used.empty() ? "which command?" : printable(error.what());
    return fmt::format("{}\n`stagemake {}--help` says what can be said", what,
                       used.empty() ? "" : used.front()->get_name() + " ");
  }

  CLI::App* command(Verb verb, const char* name, const char* what) {
    CLI::App* sub = app_.add_subcommand(name, what);
    sub->callback([this, verb] { options_.verb = verb; });
    return sub;
  }

  void add_tree(CLI::App* sub) {
    sub->add_option("--tree", options_.tree,
                    "the distribution's folder (default: the nearest upwards with build/pkgs)")
        ->type_name("DIR");
    sub->add_option_function<std::string>(
           "--dialect",
           [this](const std::string& word) {
             options_.dialect = dialect_named(word);
             if (!options_.dialect)
               throw CLI::ValidationError("--dialect", "is sage-9.8 or passagemath-2026");
           },
           "how the tree is read (default: recognized)")
        ->type_name("sage-9.8|passagemath-2026");
  }

  void add_stages(CLI::App* sub) {
    sub->add_option("--stages", options_.stages,
                    "table of stages (default: ci-docker.toml in the tree, else built in)")
        ->type_name("FILE");
  }

  void add_engine(CLI::App* sub) {
    sub->add_option_function<std::string>(
           "--engine",
           [this](const std::string& word) {
             std::optional<EngineKind> kind = engine_kind(word);
             if (!kind) throw CLI::ValidationError("--engine", "is auto, docker, podman or buildah");
             options_.engine = *kind;
             options_.engine_given = true;
           },
           "what runs containers [$STAGEMAKE_ENGINE]")
        ->type_name("auto|docker|podman|buildah");
    sub->add_option("--state", options_.state, "folder for logs and caches [$STAGEMAKE_STATE]")
        ->type_name("DIR");
  }

  void add_images(CLI::App* sub) {
    sub->add_option("--repository", options_.repository,
                    "what stands in front of image names (default: that of --push-to)")
        ->type_name("NAME");
    sub->add_option("--tag", options_.tag,
                    "tag of images (default: what `git describe --dirty --always` says) [$DOCKER_TAG]")
        ->type_name("TAG");
    sub->add_option("--extra-tag", options_.extra_tags, "one more tag, repeatable [$EXTRA_DOCKER_TAGS]")
        ->type_name("TAG")
        ->allow_extra_args(false);
  }

  void add_registries(CLI::App* sub) {
    sub->add_option("--from", options_.from,
                    "look for images in this repository too, repeatable (that of --push-to is always looked "
                    "into) [$EXTRA_CACHE_FROM_REPOSITORIES]")
        ->type_name("REPOSITORY")
        ->allow_extra_args(false);
    sub->add_option("--push-to", options_.push_to,
                    "push what is finished, and what is left unfinished, while the next stage runs "
                    "[$DOCKER_PUSH_REPOSITORY]")
        ->type_name("REPOSITORY");
    sub->add_option("--plain-http", options_.plain_http,
                    "a registry that is spoken to without TLS, as those of this machine are; repeatable "
                    "[$STAGEMAKE_PLAIN_HTTP]")
        ->type_name("HOST[:PORT]")
        ->allow_extra_args(false);
  }

  void add_restore(CLI::App* sub) {
    sub->add_option("--restore", options_.restore, "begin in this image and no other")->type_name("IMAGE");
    sub->add_flag("--clean-only", options_.clean_only,
                  "use only images that were built from the base image in one line, for releases");
    sub->add_flag("--strict", options_.strict,
                  "fail instead of building from the base image where there are images");
    sub->add_option_function<std::string>(
           "--base-policy",
           [this](const std::string& word) {
             options_.base_policy = word == "pin"    ? BasePolicy::Pin
                                    : word == "warn" ? BasePolicy::Warn
                                                     : BasePolicy::Follow;
           },
           "where the base image's name means another content now: build anew (follow, the default), go on "
           "in "
           "what was built on the old one (warn), stay on the old one (pin)")
        ->type_name("pin|follow|warn")
        ->check(CLI::IsMember({"pin", "follow", "warn"}));
  }

  void add_limits(CLI::App* sub) {
    sub->add_option_function<std::string>(
           "--deadline",
           [this](const std::string& text) {
             std::optional<double> seconds = duration_in(text);
             if (!seconds) throw CLI::ValidationError("--deadline", "is a duration: 5h40m, 90m, 45s");
             options_.deadline = seconds_now() + *seconds;
           },
           "be over by then, with all saved and pushed; status 75 where something is left "
           "[$STAGEMAKE_DEADLINE]")
        ->type_name("DURATION");
    sub->add_option_function<std::string>(
           "--deadline-at",
           [this](const std::string& text) {
             options_.deadline = time_in(text, seconds_now());
             if (!options_.deadline)
               throw CLI::ValidationError("--deadline-at",
                                          "is 17:30, 2026-11-22T17:30:00Z, or @SECONDS since 1970");
           },
           "the same, as a time")
        ->type_name("TIME");
    sub->add_option_function<std::string>(
           "--stall",
           [this](const std::string& text) {
             options_.stall = duration_in(
                 text.find_first_not_of("0123456789.") == std::string::npos ? text + "min" : text);
             if (!options_.stall || *options_.stall <= 0)
               throw CLI::ValidationError("--stall", "is a number of minutes, or a duration: 45s");
           },
           "stop a stage that for so long says nothing and uses no processor (default: never)")
        ->type_name("MINUTES");
  }

  void add_targets(CLI::App* sub) {
    sub->add_option("--to", options_.to,
                    "build up to this stage, repeatable (default: with-targets) [$DOCKER_TARGETS]")
        ->type_name("STAGE")
        ->allow_extra_args(false);
    sub->add_flag("--fresh", options_.fresh, "start from the base image, whatever images there are");
  }

  void add_json(CLI::App* sub) { sub->add_flag("--json", options_.json, "for programs"); }

  void add_build() {
    CLI::App* sub = command(Verb::Build, "build", "build environments; what is built already is reused");
    add_environment_options(*sub, options_, true);
    add_targets(sub);
    sub->add_option("-j,--at-once", options_.at_once, "stages that may run at the same time (default: 2)")
        ->type_name("N")
        ->check(CLI::Range(1u, 1000u));
    sub->add_flag("-n,--dry-run", options_.dry_run, "say what would be done, and touch nothing");
    sub->add_flag("-k,--keep-going,!--stop-at-failure", options_.keep_going,
                  "after a failure, go on with other environments (default: yes)");
    sub->add_flag("-s,--quiet", options_.quiet, "say only what fails");
    sub->add_flag("-v,--verbose", options_.verbose, "show what stages print, too");
    sub->add_flag("--count-calls", options_.count_calls,
                  "say at the end how often the engine was called, and for what");
    sub->add_option("--color", options_.color, "whether to use colours")
        ->check(CLI::IsMember({"auto", "always", "never"}));
    add_json(sub);
    add_engine(sub);
    add_images(sub);
    add_registries(sub);
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
    add_restore(sub);
    add_limits(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_explain() {
    CLI::App* sub = command(Verb::Explain, "explain", "say for each stage what a build would do, and why");
    add_environment_options(*sub, options_, true);
    add_targets(sub);
    add_json(sub);
    add_engine(sub);
    add_images(sub);
    add_registries(sub);
    add_restore(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_plan() {
    CLI::App* sub = command(Verb::Plan, "plan", "the stages in order: parent, make targets, packages, key");
    add_environment_options(*sub, options_, false);
    add_json(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_names(Verb verb, const char* name, const char* what) {
    CLI::App* sub = command(verb, name, what);
    add_json(sub);
    add_tree(sub);
    add_stages(sub);
  }

  CLI::App* add_one_environment(Verb verb, const char* name, const char* what) {
    CLI::App* sub = command(verb, name, what);
    add_environment_options(*sub, options_, true);
    add_json(sub);
    add_tree(sub);
    add_stages(sub);
    return sub;
  }

  void add_env() {
    CLI::App* sub =
        add_one_environment(Verb::Env, "env", "what an environment's name means: all its variables");
    add_images(sub);
    add_targets(sub);
  }

  void add_envs() {
    CLI::App* sub = command(Verb::Envs, "envs", "names of the environments that the tree offers");
    sub->add_flag("--systems", options_.systems, "only their systems");
    sub->add_flag("--packages", options_.package_factors, "only what a name can say of the set of packages");
    sub->add_flag("--by-system", options_.by_system, "for people: system by system");
    sub->add_option("--prefix", options_.prefix, "what to put in front of each name")->type_name("TEXT");
    sub->add_flag("--check", options_.check,
                  "names in tox.ini's lists and in workflows that tox.ini no longer knows; status 1 if any");
    add_json(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_dockerfile() {
    CLI::App* sub = command(Verb::Dockerfile, "dockerfile", "a Dockerfile with an environment's stages");
    add_environment_options(*sub, options_, true);
    sub->add_option("-o,--output", options_.output, "write it there instead of printing it")
        ->type_name("FILE");
    add_tree(sub);
    add_stages(sub);
  }

  void add_tox() {
    CLI::App* sub = command(Verb::Tox, "tox", "what a tree's tox.ini calls: build the environment");
    sub->add_option("TARGET", options_.arguments,
                    "tox's positional arguments: make targets (default: build)");
    add_engine(sub);
    add_tree(sub);
    add_stages(sub);
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
    add_json(sub);
    add_tree(sub);
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
    add_json(sub);
    add_tree(sub);
  }

  void add_snapshots() {
    CLI::App* sub = command(Verb::Snapshots, "snapshots", "the images of this distribution, newest first");
    sub->add_option("ENV", options_.environments, "only these environments");
    add_json(sub);
    add_engine(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_shell() {
    CLI::App* sub =
        command(Verb::Shell, "shell", "open a shell in a stage's newest image, finished or failed");
    sub->add_option_function<std::string>(
           "ENV", [this](const std::string& name) { options_.environments = {name}; }, "environment")
        ->required();
    sub->add_option("STAGE", options_.stage, "stage (default: the newest image of the environment)");
    sub->add_flag("-n,--dry-run", options_.dry_run, "print the command");
    add_engine(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_clean() {
    CLI::App* sub = command(Verb::Clean, "clean", "remove the images of environments, saying which");
    sub->add_option("ENV", options_.environments, "environments")->required();
    sub->add_flag("-n,--dry-run", options_.dry_run, "say which, and remove none");
    add_engine(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_size(CLI::App* sub, const char* name, std::optional<std::uint64_t>& size, const char* what) {
    sub->add_option_function<std::string>(
           name,
           [name, &size](const std::string& text) {
             std::optional<unsigned long long> said = size_said(text);
             if (!said) throw CLI::ValidationError(name, "is a size, as 500M or 12G");
             size = *said;
           },
           what)
        ->type_name("SIZE");
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
    add_size(sub, "--max-size", options_.eviction.max_size,
             "go on, by what is built again soonest, until images take no more than this");
    add_size(sub, "--min-free", options_.eviction.min_free,
             "go on until that much is free where the engine keeps images");
    sub->add_flag("-n,--dry-run", options_.dry_run, "say which would go and which stay, and remove none");
    add_json(sub);
    add_engine(sub);
    add_tree(sub);
    add_stages(sub);
  }

  void add_doctor() {
    add_json(command(Verb::Doctor, "doctor", "which container engines work here, and what is missing"));
  }

  void add_completion() {
    CLI::App* sub = command(Verb::Completion, "completion",
                            "completion for a shell: `source <(stagemake completion bash)`");
    sub->add_option("SHELL", options_.shell, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
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
