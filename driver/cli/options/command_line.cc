#include "cli/options/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>

#include "base/text/text.h"
#include "cli/options/options.h"
#include "emit/manual/topics.h"

namespace stagemake {
namespace {

using Kind = CompletionValue::Kind;

// `auto|docker|podman` in a type's name lists all choices; `TEXT:{auto,always}` comes from CLI11's IsMember
// check.
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

// The only place that knows the meaning of value names in the help. `takes_groups`: the command builds, so
// ENV may also be a system.
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
  CompletionOption result{.names = {}, .what = option.get_description(), .group = option.get_group()};
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
  CompletionCommand command{.name = app.get_name(),
                            .what = app.get_description(),
                            .group = app.get_group(),
                            .options = options_of(app)};
  bool takes_groups = command.name == "build" || command.name == "explain" || command.name == "plan";
  for (const CLI::Option* option : app.get_options())
    if (option->get_positional()) {
      std::vector<std::string> choices = choices_in(option->get_type_name());
      command.arguments.push_back(
          {choices.empty() ? value_of(option->get_name(true), takes_groups)
                           : CompletionValue{Kind::Choice, option->get_name(true), choices},
           option->get_expected_max() > 1, option->get_required(), option->get_description()});
    }
  return command;
}

}  // namespace

CommandLine described_command_line() {
  CommandLine line{.program = "stagemake"};
  with_command_line([&](const CLI::App& app) {
    line.options = options_of(app);
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      if (!sub->get_group().empty()) line.commands.push_back(described(*sub));
  });
  // What `help` explains.
  std::vector<std::string> names;
  for (const CompletionCommand& command : line.commands) names.push_back(command.name);
  for (const ManualTopic& topic : manual_topics(line.program)) names.push_back(topic.name);
  for (CompletionCommand& command : line.commands)
    for (CompletionArgument& argument : command.arguments)
      if (argument.value.word == "TOPIC") argument.value = {Kind::Choice, "TOPIC", names};
  return line;
}

}  // namespace stagemake
