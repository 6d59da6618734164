#include "emit/manual/manual_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/text/text.h"
#include "emit/manual/roff.h"

namespace stagemake {
namespace {

std::string option_line(const CompletionOption& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back("\\fB" + roff(name) + "\\fR");
  std::string line = ".TP\n" + join(names, ", ");
  if (option.value.kind != CompletionValue::Kind::Nothing)
    line += " \\fI" +
            roff(option.value.choices.empty() ? option.value.word : join(option.value.choices, "|")) + "\\fR";
  return line + "\n" + roff(option.what) + "\n";
}

// "[$NAME]" at the end of a description: the variable that is read if the option is not given.
std::string variable_in(const std::string& what) {
  std::size_t at = what.rfind("[$");
  if (at == std::string::npos || !what.ends_with("]")) return {};
  return what.substr(at + 2, what.size() - at - 3);
}

template <class Entry>
std::vector<std::string> groups_of(const std::vector<Entry>& entries) {
  std::vector<std::string> groups;
  for (const Entry& entry : entries)
    if (std::find(groups.begin(), groups.end(), entry.group) == groups.end()) groups.push_back(entry.group);
  return groups;
}

std::string status_section() {
  std::string section = ".SH EXIT STATUS\n";
  for (const ExitStatusText& one : exit_statuses()) {
    section += fmt::format(".TP\n{}\n{}\n", one.status, roff(parse_markdown_text(one.text, "exit status")));
  }
  return section;
}

}  // namespace

std::string manual_page(const CommandLine& command_line, const std::vector<ManualTopic>& topics,
                        const std::string& version) {
  const std::string& program = command_line.program;
  std::string page = roff_head(program, 1, program, version,
                               "build container images of a make-based source distribution stage by stage");
  page += fmt::format(
      ".SH SYNOPSIS\n\\fB{0}\\fR [\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR] "
      "[\\fIARGUMENTS\\fR]\n"
      ".SH DESCRIPTION\n{0} reads the metadata of a distribution such as SageMath, works out what each stage "
      "of each "
      "environment has to build, builds the stages in containers, and saves every stage as an image, "
      "finished or "
      "not. The next run, on any machine, continues from the best image it finds and builds only what is "
      "missing.\n",
      program);
  for (const std::string& group : groups_of(command_line.commands)) {
    page += ".SH " + roff(in_capitals(group)) + "\n";
    for (const CompletionCommand& command : command_line.commands)
      if (command.group == group)
        page += fmt::format(".TP\n\\fB{}\\-{}\\fR(1)\n{}\n", roff(program), roff(command.name),
                            roff(command.what));
  }
  page += status_section() + ".SH SEE ALSO\n";
  std::vector<std::string> pages;
  for (const ManualTopic& topic : topics)
    pages.push_back(fmt::format("\\fB{}\\fR({})", roff(topic.page), topic.section));
  return page + join(pages, ",\n") + (pages.empty() ? "" : "\n");
}

std::string manual_page(const CommandLine& command_line, const CompletionCommand& command,
                        const std::string& version) {
  const std::string& program = command_line.program;
  std::string page = roff_head(program + "-" + command.name, 1, program, version, command.what);
  page += fmt::format(".SH SYNOPSIS\n\\fB{} {}\\fR [\\fIOPTIONS\\fR]", roff(program), roff(command.name));
  for (const CompletionArgument& argument : command.arguments) {
    std::string word = "\\fI" + roff(argument.value.word) + "\\fR" + (argument.repeatable ? "..." : "");
    page += argument.required ? " " + word : " [" + word + "]";
  }
  page += "\n";
  if (!command.arguments.empty()) page += ".SH ARGUMENTS\n";
  for (const CompletionArgument& argument : command.arguments)
    page += ".TP\n\\fI" + roff(argument.value.word) + "\\fR\n" + roff(argument.what) + "\n";
  for (const std::string& group : groups_of(command.options)) {
    page += ".SH " + roff(in_capitals(group)) + "\n";
    for (const CompletionOption& option : command.options)
      if (option.group == group) page += option_line(option);
  }
  std::string variables;
  for (const CompletionOption& option : command.options)
    if (std::string name = variable_in(option.what); !name.empty())
      variables += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(name), roff("see " + option.names.back()));
  if (!variables.empty()) page += ".SH ENVIRONMENT\nOptions win over variables.\n" + variables;
  return page + status_section() + fmt::format(".SH SEE ALSO\n\\fB{}\\fR(1)\n", roff(program));
}

}  // namespace stagemake
