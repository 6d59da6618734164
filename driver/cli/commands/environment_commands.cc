#include "cli/commands/environment_commands.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files/output_file.h"
#include "base/process/standard_streams.h"
#include "base/secrets.h"
#include "base/text/text.h"
#include "cli/tree.h"
#include "emit/dockerfile.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kWidth = 80;

std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', true, ordered_json::error_handler_t::replace);
}

// All arguments of configure, for display.
std::vector<std::string> configure_arguments(const Environment& environment) {
  std::vector<std::string> all = environment.configure_args;
  std::string extra = without_secrets(environment.value("EXTRA_CONFIGURE_ARGS"));
  for (std::string_view word : words(extra)) all.emplace_back(word);
  return all;
}

// Empty if the base image is supposed to contain them.
std::vector<std::string> installed_system_packages(const SystemSetup& setup) {
  return setup.skipped ? std::vector<std::string>() : setup.packages;
}

constexpr const char* kTargetVariables[] = {"TARGETS_PRE", "TARGETS", "TARGETS_OPTIONAL"};

std::map<std::string, std::string> shown_values(std::map<std::string, std::string> values) {
  for (auto& [name, value] : values) value = without_secrets(value);
  return values;
}

ordered_json environment_json(const Options& options, const Tree& tree, const Environment& environment) {
  ordered_json targets = ordered_json::object(), images = ordered_json::object();
  for (const char* name : kTargetVariables) targets[name] = environment.value(name);
  for (const StageSpec& stage : tree.table.stages)
    images[stage.name] = image_name(tree.table, options.repository, environment.name, stage.name);
  return {{"schema", 1},
          {"name", environment.name},
          {"variables", shown_values(environment.variables)},
          {"expanded", shown_values(environment.expanded)},
          {"unexpanded", environment.unexpanded},
          {"system", environment.setup.system},
          {"base_image", environment.base_image},
          {"incremental", environment.incremental},
          {"packages", environment.packages},
          {"installs_system_packages", !environment.setup.skipped},
          {"system_packages", installed_system_packages(environment.setup)},
          {"configure_args", configure_arguments(environment)},
          {"bootstrap", environment.value("BOOTSTRAP")},
          {"targets", targets},
          {"images", images}};
}

// Prints words in lines that fit a terminal, after `indent` blanks.
void print_words(const std::vector<std::string>& all, std::size_t indent) {
  std::string line;
  auto flush = [&] {
    if (!line.empty()) show("{:{}}{}\n", "", indent, line);
    line.clear();
  };
  for (const std::string& word : all) {
    std::string text = printable(word);
    if (!line.empty() && indent + line.size() + 1 + text.size() > kWidth) flush();
    line += (line.empty() ? "" : " ") + text;
  }
  flush();
}

// The same, if they are few enough to read.
void print_few_words(const std::vector<std::string>& all, std::size_t indent) {
  constexpr std::size_t kFew = 40;
  if (all.size() <= kFew) print_words(all, indent);
}

void print_environment(const Options& options, const Tree& tree, const Environment& environment) {
  const SystemSetup& setup = environment.setup;
  show("{}: {} system, {} {}\n", environment.name, setup.system,
       environment.incremental ? "continuing from" : "from", printable(environment.base_image));
  show("\nsystem packages: {} for {}{}{}\n", setup.packages.size(),
       counted(environment.packages.size(), "package"),
       setup.ignore_missing ? "; missing ones are ignored" : "",
       setup.skipped ? "; not installed: the base image has them" : "");
  print_few_words(setup.packages, 2);
  std::vector<std::string> flags, others;
  for (std::string& argument : configure_arguments(environment))
    (argument.starts_with("--with-system-") && argument.find("python") == std::string::npos ? flags : others)
        .push_back(std::move(argument));
  show("\nbootstrapped by {}\nconfigured with {} and\n", printable(environment.value("BOOTSTRAP")),
       counted(flags.size(), "option --with-system-PACKAGE", "options --with-system-PACKAGE"));
  print_words(others, 2);
  show("\n");
  for (const char* name : kTargetVariables) show("{:<17} {}\n", name, printable(environment.value(name)));
  show("{:<17} {}\n", "images", image_name(tree.table, options.repository, environment.name, "STAGE"));
  if (environment.variables.empty()) return;
  show("\nvariables, as tox has them:\n");
  for (const auto& [key, value] : environment.variables) {
    show("  {}={}\n", key, without_secrets(value));
    if (auto found = environment.expanded.find(key); found != environment.expanded.end())
      show("    that is {}\n", without_secrets(found->second));
  }
  if (!environment.unexpanded.empty())
    show("\nonly a shell can expand {}; `stagemake build` lets one do it, unless --host-shell is no\n",
         join(environment.unexpanded, ", "));
}

int check_lists(const Options& options, const Tree& tree) {
  if (!tree.factors)
    throw bad_input("", "this tree has no tox.ini with a factor table: nothing can be checked");
  Faults faults;
  std::vector<UnknownName> unknown = unknown_names(tree.path, *tree.factors, faults);
  faults.throw_if_any();
  ordered_json list = ordered_json::array();
  for (const UnknownName& one : unknown) {
    if (!options.json)
      show("{}:{}: {}: {} has no {}{}\n", one.listed.file, one.listed.line, printable(one.listed.name),
           tree.factors->file(), printable(join(one.factors, ", ")),
           one.nearest.empty() ? "" : "; did you mean " + join(one.nearest, " or ") + "?");
    list.push_back({{"file", one.listed.file},
                    {"line", one.listed.line},
                    {"name", one.listed.name},
                    {"unknown", one.factors},
                    {"nearest", one.nearest}});
  }
  if (options.json)
    fmt::print("{}\n", dumped({{"schema", 1}, {"unknown", list}}));
  else if (unknown.empty())
    show("{} knows all names in its lists and in the workflows\n", tree.factors->file());
  return static_cast<int>(unknown.empty() ? ExitStatus::Ok : ExitStatus::StageFailed);
}

}  // namespace

int env_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Names);
  Environment environment = resolve_environment(options, tree);
  if (options.json)
    fmt::print("{}\n", dumped(environment_json(options, tree, environment)));
  else
    print_environment(options, tree, environment);
  return 0;
}

int envs_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Names);
  if (options.check) return check_lists(options, tree);
  EnvironmentList list = environment_list(tree);
  if (options.json) {
    fmt::print("{}\n", dumped({{"schema", 1},
                               {"systems", list.systems()},
                               {"package_factors", list.package_factors()},
                               {"environments", list.names()}}));
    return 0;
  }
  if (!options.by_system) {
    const std::vector<std::string>& names = options.systems           ? list.systems()
                                            : options.package_factors ? list.package_factors()
                                                                      : list.names();
    for (const std::string& name : names) show("{}{}\n", options.prefix, name);
    return 0;
  }
  for (const std::string& system : list.systems()) {
    std::vector<std::string> names;
    for (const std::string& name : list.names())
      if (list.system_of(name) == system) names.push_back(options.prefix + name);
    show("{}\n", printable(system));
    print_words(names, 2);
  }
  return 0;
}

int system_packages_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Names);
  Environment environment = resolve_environment(options, tree);
  const SystemSetup& setup = environment.setup;
  if (!options.json) {
    for (const std::string& package : installed_system_packages(setup)) show("{}\n", package);
    return 0;
  }
  fmt::print("{}\n", dumped({{"schema", 1},
                             {"environment", environment.name},
                             {"system", setup.system},
                             {"skipped", setup.skipped},
                             {"ignore_missing", setup.ignore_missing},
                             {"system_packages", installed_system_packages(setup)},
                             {"recipe", installation_recipe(setup)}}));
  return 0;
}

int dockerfile_command(const Options& options) {
  Tree tree = open_tree(options, TreeCheck::Names);
  Environment environment = resolve_environment(options, tree);
  if (!environment.missing.empty()) say(fmt::format("stagemake: {}", environment.missing));
  warn_of_shell_text(environment);
  write_output(options.output.value_or("-"), dockerfile(tree.table, environment, build_context(tree.path)));
  return 0;
}

}  // namespace stagemake
