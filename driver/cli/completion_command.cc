#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "cli/commands.h"
#include "emit/completion.h"

namespace stagemake {
namespace {

using Kind = CompletionValue::Kind;

// `auto|docker|podman` as a type's name says all there is to choose from; `TEXT:{auto,always}` is what CLI11
// makes of an IsMember check.
std::vector<std::string> choices_in(std::string_view type) {
  char separator = '|';
  if (std::size_t brace = type.find(":{"); brace != std::string_view::npos && type.back() == '}') {
    type = type.substr(brace + 2, type.size() - brace - 3);
    separator = ',';
  }
  bool is_plain = std::all_of(type.begin(), type.end(), [&](unsigned char c) {
    return c == separator || std::islower(c) || std::isdigit(c) || c == '.' || c == '-' || c == '_';
  });
  std::vector<std::string> choices;
  if (is_plain && type.find(separator) != std::string_view::npos)
    for (std::string_view choice : split(type, separator)) choices.emplace_back(choice);
  return choices;
}

// The one place that knows what the words of the help mean. `takes_groups`: the command builds, so that ENV
// may be a system's name.
CompletionValue value_of(const std::string& word, bool takes_groups) {
  CompletionValue value{.kind = Kind::Text, .word = word, .choices = choices_in(word)};
  if (!value.choices.empty())
    value.kind = Kind::Choice;
  else if (word == "DIR")
    value.kind = Kind::Folder;
  else if (word == "FILE")
    value.kind = Kind::File;
  else if (word == "ENV")
    value.kind = takes_groups ? Kind::EnvironmentGroup : Kind::Environment;
  else if (word == "STAGE")
    value.kind = Kind::Stage;
  else if (word == "PACKAGE" || word == "MAKE_TARGET")
    value.kind = Kind::Package;
  else if (word == "SELECTOR")
    value.kind = Kind::Selector;
  return value;
}

CompletionOption described(const CLI::Option& option) {
  CompletionOption result{.names = {}, .what = option.get_description()};
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  std::replace(result.what.begin(), result.what.end(), '\n', ' ');
  if (option.get_items_expected_max() == 0) return result;
  result.value = value_of(option.get_type_name(), false);
  result.repeatable = option.get_expected_max() > 1;
  return result;
}

std::vector<CompletionOption> options_of(const CLI::App& app) {
  std::vector<CompletionOption> options;
  for (const CLI::Option* option : app.get_options())
    if (option->nonpositional() && !option->get_group().empty()) options.push_back(described(*option));
  return options;
}

CompletionCommand described(const CLI::App& app) {
  CompletionCommand command{
      .name = app.get_name(), .what = app.get_description(), .options = options_of(app)};
  bool takes_groups = command.name == "build" || command.name == "explain" || command.name == "plan";
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) {
      std::vector<std::string> choices = choices_in(option->get_type_name());
      command.arguments.push_back({choices.empty()
                                       ? value_of(option->get_name(true), takes_groups)
                                       : CompletionValue{Kind::Choice, option->get_name(true), choices},
                                   option->get_expected_max() > 1});
    }
  return command;
}

}  // namespace

int completion_command(const Options& options) {
  CommandLine line{.program = "stagemake"};
  with_command_line([&](const CLI::App& app) {
    line.options = options_of(app);
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      line.commands.push_back(described(*sub));
  });
  fmt::print("{}", options.shell == "zsh" ? zsh_completion(line) : bash_completion(line));
  return 0;
}

}  // namespace stagemake
