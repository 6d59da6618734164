#include "cli/options/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "base/text/wrap.h"
#include "cli/options/complete_options.h"
#include "cli/options/environment_options.h"
#include "cli/options/help_formatter.h"
#include "cli/options/inspection_options.h"
#include "cli/options/network_options.h"
#include "cli/options/option_groups.h"
#include "cli/options/watching_options.h"
#include "emit/manual/topics.h"

namespace stagemake {
namespace {

// Names of commands in other tools: make, docker, buildx, tox, ninja and bazel.
using Habits = std::multimap<std::string, const char*, std::less<>>;
const Habits kCommandsOfOthers = {
    {"ls", "envs"},        {"ls", "snapshots"}, {"images", "snapshots"}, {"ps", "status"},
    {"run", "build"},      {"make", "build"},   {"bake", "build"},       {"up", "build"},
    {"rm", "clean"},       {"rmi", "clean"},    {"prune", "gc"},         {"exec", "shell"},
    {"check", "doctor"},   {"log", "logs"},     {"query", "why"},        {"info", "env"},
    {"targets", "stages"}, {"config", "env"},   {"dry-run", "explain"},  {"restart", "build"}};
const Habits kOptionsOfOthers = {{"-q", "--quiet"},
                                 {"--silent", "--quiet"},
                                 {"--progress", "--verbose"},
                                 {"--print", "--dry-run"},
                                 {"--just-print", "--dry-run"},
                                 {"--target", "--to"},
                                 {"--no-cache", "--fresh"},
                                 {"-B", "--fresh"},
                                 {"--always-make", "--fresh"},
                                 {"--cache-from", "--from"},
                                 {"--push-registry", "--push-to"},
                                 {"--directory", "--tree"},

                                 {"--skip", "--exclude"},
                                 {"--platform", "--systems"},

                                 {"--timeout", "--deadline"},
                                 {"--parallel", "--at-once"},
                                 {"-t", "--tag"},
                                 {"-f", "--stages"},
                                 {"--file", "--stages"},
                                 {"--build-arg", "--set"},
                                 {"--arg", "--set"},
                                 {"--force", "--fresh"}};

std::vector<std::string> habitual(std::string_view said, const Habits& habits) {
  std::vector<std::string> ours;
  for (auto [at, end] = habits.equal_range(said); at != end; ++at) ours.emplace_back(at->second);
  return ours;
}

class Parser {
 public:
  Parser()
      : app_(
            "Builds the container images of a make-based source distribution stage by stage,\nand "
            "continues where the last build stopped.\n",
            "stagemake") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "stagemake " STAGEMAKE_VERSION);
    app_.add_option("-C,--tree", options_.tree, "the distribution's folder, also after the command")
        ->type_name("DIR");
    app_.formatter(std::make_shared<HelpFormatter>(34));
    app_.footer([] { return footer(); });
    add_build();
    add_explain();
    add_plan();
    add_names(Verb::Stages, "stages", "names of the stages, parents first");
    add_envs();
    add_env();
    add_one_environment(Verb::SystemPackages, "system-packages",
                        "system packages that an environment installs, and how");
    add_list();
    add_packages();
    add_snapshots();
    add_watching_commands(app_, options_);
    add_shell();
    add_inspections();
    add_simulate();
    add_adopt();
    add_tox();
    add_dockerfile();
    add_completion();
    add_help();
    add_manual();
    add_clean();
    add_gc();
    add_jobs();
    add_doctor();
    group_commands();
    // Names of commands are shorter than options, so their list fits into 80 columns.
    app_.formatter(std::make_shared<HelpFormatter>(18));
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  }

  ParsedOptions parse(int argc, const char* const* argv) {
    options_.command_line.assign(argv, argv + argc);
    std::vector<std::string> said = in_usual_order({argv + std::min(argc, 1), argv + argc});
    // CLI11 would print the list of commands.
    if (asks_for_help_ && !said[0].starts_with('-') && !is_command(said[0])) {
      say("stagemake: " + unknown_command(said[0]));
      return {options_, static_cast<int>(ExitStatus::BadInput)};
    }
    std::vector<std::string> command = taken_command(said);
    try {
      app_.parse(std::vector<std::string>(said.rbegin(), said.rend()));  // CLI11 takes them from the end
      if (!command.empty()) options_.arguments = command;
      complete_options(options_);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() == 0) {  // --help, --version
        app_.exit(error);
        return {options_, 0};
      }
      // CLI11 has its own exit statuses; stagemake returns 2 for any usage error.
      say(fmt::format("stagemake: {}", usage_text(error, said)));
      return {options_, static_cast<int>(ExitStatus::BadInput)};
    }
    return {options_, std::nullopt};
  }

  const CLI::App& app() const { return app_; }

 private:
  static const std::vector<ManualTopic>& topics() {
    static const std::vector<ManualTopic> all = manual_topics("stagemake");
    return all;
  }
  static bool is_topic(const std::string& name) {
    return std::any_of(topics().begin(), topics().end(),
                       [&](const ManualTopic& topic) { return topic.name == name; });
  }

  static std::string footer() {
    std::string text = "Topics:\n";
    for (const ManualTopic& topic : topics())
      text += wrapped_words(fmt::format("  {:<15} ", topic.name), topic.what);
    std::vector<std::string> statuses;
    for (const ExitStatusText& one : exit_statuses())
      statuses.push_back(fmt::format("{} {}", one.status, one.brief));
    text +=
        "\n`stagemake help COMMAND` lists the options of a command; `stagemake help TOPIC`\n"
        "prints a page of the manual.\n";
    text += wrapped_words("", "Exit status: " + join(statuses, ", ") + ".");
    text.pop_back();
    return text;
  }

  static std::string wrapped_words(std::string_view first, std::string_view text) {
    std::vector<std::string> all;
    for (std::string_view word : words(text)) all.emplace_back(word);
    return wrapped(first, all);
  }

  // `help COMMAND` becomes `COMMAND --help`, and options before the command move after it: `-C DIR build`.
  // `help TOPIC` and `help --help` stay.
  std::vector<std::string> in_usual_order(std::vector<std::string> words) {
    if (!words.empty() && words[0] == "help") {
      if (words.size() > 1 && (is_topic(words[1]) || words[1] == "-h" || words[1] == "--help")) return words;
      asks_for_help_ = true;
      words.erase(words.begin());
      words.insert(words.begin() + (words.empty() ? 0 : 1), "--help");
      return words;
    }
    const std::set<std::string_view> with_value = {"-C",       "--tree",  "--stages",
                                                   "--engine", "--state", "--color"};
    std::size_t at = 0;
    while (at < words.size() && words[at].starts_with('-') && words[at] != "-h" && words[at] != "--help" &&
           words[at] != "--version")
      at += with_value.contains(words[at]) ? 2 : 1;
    if (at < words.size() && !words[at].starts_with('-'))
      std::rotate(words.begin(), words.begin() + at, words.begin() + at + 1);
    return words;
  }

  // `shell ENV [STAGE] -- COMMAND`: the words after `--` are no STAGE.
  static std::vector<std::string> taken_command(std::vector<std::string>& words) {
    if (words.empty() || words[0] != "shell") return {};
    auto dashes = std::find(words.begin(), words.end(), "--");
    if (dashes == words.end()) return {};
    std::vector<std::string> command(dashes + 1, words.end());
    words.erase(dashes, words.end());
    return command;
  }

  std::string usage_text(const CLI::ParseError& error, const std::vector<std::string>& said) {
    std::vector<CLI::App*> used = app_.get_subcommands();
    if (used.empty() && !said.empty() && !said[0].starts_with('-')) return unknown_command(said[0]);
    std::string what = used.empty() ? "which command?" : complaint(error, *used.front());
    return fmt::format("{}\n`stagemake {}--help` lists {}", what,
                       used.empty() ? "" : used.front()->get_name() + " ",
                       used.empty() ? "the commands" : "the options");
  }

  bool is_command(const std::string& name) const {
    std::vector<const CLI::App*> all = app_.get_subcommands([](const CLI::App*) { return true; });
    return std::any_of(all.begin(), all.end(), [&](const CLI::App* sub) { return sub->get_name() == name; });
  }

  std::string unknown_command(const std::string& name) const {
    if (is_topic(name))
      return fmt::format("{0} is no command; `stagemake help {0}` prints that page of the manual", name);
    std::vector<std::string> known;
    for (const CLI::App* sub : app_.get_subcommands([](const CLI::App*) { return true; }))
      if (!sub->get_group().empty()) known.push_back(sub->get_name());
    if (asks_for_help_)
      for (const ManualTopic& topic : topics()) known.push_back(topic.name);
    std::vector<std::string> near = habitual(name, kCommandsOfOthers);
    if (near.empty()) near = nearest(name, known);
    if (near.empty() && name.size() > 1)
      std::copy_if(known.begin(), known.end(), std::back_inserter(near),
                   [&](const std::string& one) { return one.starts_with(name); });
    return fmt::format(
        "no command{} is named {}; {}", asks_for_help_ ? " or topic" : "", printable(name),
        near.empty() ? "there are " + join(known, ", ") : "did you mean " + join(near, " or ") + "?");
  }

  // The usage error of a command; unknown options are reported with similar ones.
  static std::string complaint(const CLI::ParseError& error, const CLI::App& used) {
    if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError))
      return printable(error.what());
    std::vector<std::string> extra = used.remaining(true);
    if (extra.empty() && used.get_parent() != nullptr)  // it must precede the command
      return fmt::format("`stagemake` does not take {} before {}", some_of(used.get_parent()->remaining()),
                         used.get_name());
    std::vector<std::string> known, near;
    for (const CLI::Option* option : used.get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    for (const std::string& word : extra) {
      if (!word.starts_with("-") || !near.empty()) continue;
      std::string name = word.substr(0, word.find('='));
      for (const std::string& ours : habitual(name, kOptionsOfOthers))
        if (std::find(known.begin(), known.end(), ours) != known.end()) near.push_back(ours);
      if (near.empty() && word.starts_with("--")) near = nearest(name, known);
    }
    return fmt::format("`stagemake {}` does not take {}{}", used.get_name(), some_of(extra),
                       near.empty() ? "" : "; did you mean " + join(near, " or ") + "?");
  }

  // Groups commands by purpose, everyday ones first.
  void group_commands() {
    const std::pair<const char*, std::vector<const char*>> kGroups[] = {
        {"Every day", {"build", "explain", "status", "logs", "shell"}},
        {"Look at a tree and its images",
         {"plan", "stages", "envs", "env", "system-packages", "list", "packages", "snapshots"}},
        {"Understand", {"help", "report", "why", "diff", "graph", "simulate"}},
        {"CI and other tools", {"adopt", "tox", "dockerfile", "repro", "completion"}},
        {"Maintain", {"clean", "gc", "jobs", "doctor"}}};
    for (CLI::App* sub : app_.get_subcommands([](const CLI::App*) { return true; }))
      sub->set_version_flag("--version", "stagemake " STAGEMAKE_VERSION)->group("");
    for (const auto& [heading, names] : kGroups)
      for (const char* name : names) app_.get_subcommand(name)->group(heading);
  }

  CLI::App* command(Verb verb, const char* name, const char* what) {
    CLI::App* sub = app_.add_subcommand(name, what);
    sub->callback([this, verb] { options_.verb = verb; });
    return sub;
  }

  void add_at_once_option(CLI::App* sub) {
    sub->add_option("-j,--jobs,--at-once", options_.at_once,
                    "stages to run at the same time (default: half the number of job slots, at least 2); not "
                    "make's -j, see --slots")
        ->type_name("N")
        ->check(CLI::Range(1u, 1000u));
  }

  CLI::Option* add_slots_option(CLI::App* sub, const char* what) {
    return sub->add_option("--slots", options_.slots, what)->type_name("N");
  }

  void add_build() {
    CLI::App* sub = command(Verb::Build, "build", "build environments, reusing what is built already");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    InGroup group(*sub, "Running");
    add_at_once_option(sub);
    add_slots_option(
        sub,
        "make jobs in all containers together, shared between them; off: each container has its own "
        "(default: those of a calling make -jN, else --numproc, else the number of processors)")
        ->transform(CLI::Validator(
            [](std::string& text) {
              if (text == "off") text = "0";
              return std::string();
            },
            ""))
        ->check(CLI::Range(0u, 100'000u));
    sub->add_flag("-n,--dry-run", options_.dry_run, "show what would be done, and change nothing");
    sub->add_flag("-k,--keep-going,!--stop-at-failure", options_.keep_going,
                  "after a failure, continue with other environments (default)");
    sub->add_flag("--discard-unsaved", options_.discard_unsaved,
                  "remove containers of earlier runs whose work cannot be saved; that work is lost");
    add_output_options(sub);
    add_engine_options(*sub, options_);
    add_hosts_option(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    add_push_option(sub);
    add_restore_options(*sub, options_);
    add_signing_options(*sub, options_);
    add_network_option(*sub, options_);
    add_limits_options(*sub, options_);
    add_host_shell_option(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_output_options(CLI::App* sub) {
    InGroup group(*sub, "Output");
    sub->add_flag("-s,--quiet", options_.quiet, "print failures only");
    sub->add_flag("-v,--verbose", options_.verbose, "also print the output of stages, and lists as a whole");
    add_events_options(*sub, options_);
    sub->add_flag("--count-calls", options_.count_calls,
                  "at the end, print how often the engine was called, and for what");
    add_color_option(*sub, options_);
    add_json_options(*sub, options_);
  }

  void add_push_option(CLI::App* sub) {
    InGroup group(*sub, "Registries");
    sub->add_option_function<std::string>(
           "--push",
           [this](const std::string& word) {
             options_.push = word == "no"         ? Options::Push::No
                             : word == "required" ? Options::Push::Required
                                                  : Options::Push::Try;
           },
           "whether to push, and whether a failed push makes the command fail (default: try)")
        ->type_name("no|try|required")
        ->check(CLI::IsMember({"no", "try", "required"}));
  }

  void add_explain() {
    CLI::App* sub = command(Verb::Explain, "explain", "what a build would do for each stage, and why");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    add_whole_lists_option(*sub, options_);
    add_color_option(*sub, options_);
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_hosts_option(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    add_restore_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_simulate() {
    CLI::App* sub =
        command(Verb::Simulate, "simulate",
                "how long a build would take, here and on more machines, from measured durations");
    add_environment_options(*sub, options_, false);
    add_choice_options(*sub, options_);
    add_targets_options(*sub, options_);
    add_at_once_option(sub);
    add_slots_option(sub, "job slots per machine (default: as many as a build has here)")
        ->check(CLI::Range(1u, 100'000u));
    sub->add_option("--machines", options_.machines,
                    "number of machines (default: 1, and what more would gain)")
        ->type_name("N")
        ->check(CLI::Range(1u, 10'000u));
    sub->add_option("--durations", options_.durations, "build times, one per line: PACKAGE SECONDS")
        ->type_name("FILE");
    add_deadline_options(*sub, options_);
    add_memory_option(*sub, options_);
    add_whole_lists_option(*sub, options_);
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_hosts_option(*sub, options_);
    add_images_options(*sub, options_);
    add_registries_options(*sub, options_);
    add_restore_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_jobs() {
    CLI::App* sub = command(Verb::Jobs, "jobs", "change the number of job slots of a running build");
    sub->add_option("N", options_.slots, "new number of job slots")
        ->required()
        ->check(CLI::Range(1u, 100'000u));
    sub->add_option("--state", options_.state, "folder for logs and caches [$STAGEMAKE_STATE]")
        ->type_name("DIR");
    add_tree_options(*sub, options_);
  }

  void add_plan() {
    CLI::App* sub = command(Verb::Plan, "plan", "stages in order: parent, make targets, packages, key");
    add_environment_options(*sub, options_, false);
    add_to_option(*sub, options_, "last stage to show; repeatable (default: all stages) [$DOCKER_TARGETS]");
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
    CLI::App* sub = add_one_environment(Verb::Env, "env", "what an environment's name means: its variables");
    add_images_options(*sub, options_);
    add_targets_options(*sub, options_);
  }

  void add_envs() {
    CLI::App* sub = command(Verb::Envs, "envs", "names of the environments that the tree offers");
    sub->add_flag("--systems", options_.systems, "only the systems");
    sub->add_flag("--packages", options_.package_factors, "only the package sets that a name can contain");
    sub->add_flag("--by-system", options_.by_system, "grouped by system, for reading");
    sub->add_option("--prefix", options_.prefix, "print this in front of each name")->type_name("TEXT");
    sub->add_flag(
        "--check", options_.check,
        "names in tox.ini's lists and in workflows that tox.ini does not define; exit status 1 if any");
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_dockerfile() {
    CLI::App* sub = command(Verb::Dockerfile, "dockerfile", "a Dockerfile with an environment's stages");
    add_environment_options(*sub, options_, true);
    sub->add_option("-o,--output", options_.output, "write to this file instead of standard output")
        ->type_name("FILE");
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_adopt() {
    CLI::App* sub =
        command(Verb::Adopt, "adopt", "what the tree's Makefile and tox.ini need to call stagemake");
    sub->add_flag("--diff", options_.adopts_by_diff, "print it as a patch for `git apply`");
    add_tree_options(*sub, options_);
  }

  void add_tox() {
    CLI::App* sub = command(Verb::Tox, "tox", "called from tox.ini: build the environment");
    sub->add_option("TARGET", options_.arguments,
                    "tox's positional arguments: make targets (default: build)");
    add_color_option(*sub, options_);
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
    sub->add_option("--has-file", options_.query.has_file,
                    "only packages with one of these files; repeat to require several")
        ->type_name("A|B")
        ->allow_extra_args(false);
    sub->add_option("--no-file", options_.query.no_file, "only packages with none of these files")
        ->type_name("A|B")
        ->allow_extra_args(false);
    sub->add_option("--exclude", options_.query.exclude, "leave out this package")
        ->type_name("PACKAGE")
        ->allow_extra_args(false);
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
  }

  void add_packages() {
    CLI::App* sub = command(Verb::Packages, "packages",
                            "packages that make would build for targets in an empty tree, in order");
    sub->add_option("MAKE_TARGET", options_.make_targets, "make targets and packages")->required();
    sub->add_option("--dummy", options_.dummies, "packages to take from the system")
        ->type_name("NAME,…|@FILE")
        ->allow_extra_args(false);
    sub->add_option("--installed", options_.installed, "optional packages to treat as installed")
        ->type_name("NAME,…|@FILE")
        ->allow_extra_args(false);
    sub->add_option(
           "--sage-check", options_.sage_check,
           "include packages that only tests need, as make does with SAGE_CHECK=warn or yes (default: no)")
        ->check(CLI::IsMember({"no", "warn", "yes"}));
    add_json_options(*sub, options_);
    add_tree_options(*sub, options_);
  }

  void add_snapshots() {
    CLI::App* sub = command(Verb::Snapshots, "snapshots", "images of this distribution, newest first");
    sub->add_option("ENV", options_.environments, "only these environments");
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_trust_option(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_shell() {
    CLI::App* sub =
        command(Verb::Shell, "shell", "open a shell, or run a command, in a stage's newest image");
    sub->add_option_function<std::string>(
           "ENV", [this](const std::string& name) { options_.environments = {name}; }, "environment")
        ->required();
    sub->add_option("STAGE", options_.stage, "stage (default: the newest image of the environment)");
    sub->add_option("COMMAND", options_.arguments,
                    "after --: run this instead of a shell, without a terminal, and exit with its status");
    sub->add_flag("-n,--dry-run", options_.dry_run, "print the command");
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_clean() {
    CLI::App* sub = command(Verb::Clean, "clean", "remove the images of environments or stages");
    sub->add_option("ENV", options_.environments,
                    "environments; a stage among them: only its images and those that are built on it")
        ->required();
    CLI::Option* containers =
        sub->add_flag("--containers", options_.containers,
                      "instead of images, remove containers with unsaved work; that work is lost");
    sub->add_option(
           "--export", options_.export_to,
           "first write the container's files to this tar file for `docker import` (-: standard output)")
        ->type_name("FILE")
        ->needs(containers);
    sub->add_flag("-n,--dry-run", options_.dry_run, "show which, and remove none");
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_gc() {
    CLI::App* sub = command(Verb::Gc, "gc", "remove superseded images, or images until there is room");
    sub->add_option("ENV", options_.environments, "only of these environments");
    sub->add_option("--keep-days", options_.eviction.keep_days, "keep images younger than N days")
        ->type_name("N")
        ->check(CLI::Range(0u, 100'000u));
    sub->add_option("--keep", options_.eviction.keep,
                    "keep the newest N finished images of each environment and stage")
        ->type_name("N")
        ->check(CLI::Range(0u, 100'000u));
    add_size_option(*sub, "--max-size", options_.eviction.max_size,
                    "continue, cheapest to rebuild first, until images take no more than this");
    add_size_option(*sub, "--min-free", options_.eviction.min_free,
                    "continue until the engine has this much free disk space");
    sub->add_flag("-n,--dry-run", options_.dry_run, "show which would go and which stay, and remove none");
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_doctor() {
    CLI::App* sub = command(Verb::Doctor, "doctor",
                            "check which container engines work here, and the base images of ENV");
    add_environment_options(*sub, options_, false);
    add_which_options(*sub, options_);
    add_whole_lists_option(*sub, options_);
    add_json_options(*sub, options_);
    add_engine_options(*sub, options_);
    add_registry_hosts_options(*sub, options_);
    add_tree_options(*sub, options_);
    add_stages_options(*sub, options_);
  }

  void add_completion() {
    CLI::App* sub =
        command(Verb::Completion, "completion", "shell completion: `source <(stagemake completion bash)`");
    sub->add_option("SHELL", options_.shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }

  // Only for topics: `help COMMAND` is `COMMAND --help`.
  void add_help() {
    CLI::App* sub = command(Verb::Help, "help", "options of a command, or a topic of the manual");
    sub->add_option("TOPIC", options_.arguments,
                    "a command, or one of the topics that `stagemake help` lists");
  }

  // For the installation; users read the pages with man.
  void add_manual() {
    CLI::App* sub = command(Verb::Manual, "manual", "manual pages, as man(7) source");
    sub->group("");
    sub->add_option("COMMAND", options_.arguments, "commands and topics (default: the program's own page)");
    sub->add_option("--into", options_.output, "write all pages into this folder")->type_name("DIR");
  }

  void add_inspections() {
    add_why_options(
        *command(Verb::Why, "why", "why a package is built: its stage, dependents, times, reasons"),
        options_);
    add_graph_options(*command(Verb::Graph, "graph",
                               "draw the stages, the packages of one, or the dependents of a package"),
                      options_);
    add_diff_options(*command(Verb::Diff, "diff", "what a change rebuilds, where, and how long that takes"),
                     options_);
    add_repro_options(
        *command(Verb::Repro, "repro", "a script of plain engine commands that repeats a stage"), options_);
  }

  CLI::App app_;
  Options options_;
  bool asks_for_help_ = false;
};

}  // namespace

Listing listing_of(const Options& options) {
  return {.is_whole = options.json || options.verbose, .how = "-v"};
}

ParsedOptions parse_options(int argc, const char* const* argv) {
  return Parser().parse(argc, argv);
}

void with_command_line(const std::function<void(const CLI::App&)>& look) {
  Parser parser;
  look(parser.app());
}

}  // namespace stagemake
