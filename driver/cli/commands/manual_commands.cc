#include "cli/commands/manual_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/text.h"
#include "cli/options/command_line.h"
#include "emit/completion.h"
#include "emit/manual/manual_page.h"
#include "emit/manual/topics.h"

namespace stagemake {
namespace {

// The entry with this name; null if there is none.
template <class Entry>
const Entry* find(const std::vector<Entry>& entries, const std::string& name) {
  auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

int completion_command(const Options& options) {
  CommandLine line = described_command_line();
  fmt::print("{}", options.shell == "zsh"    ? zsh_completion(line)
                   : options.shell == "fish" ? fish_completion(line)
                                             : bash_completion(line));
  return 0;
}

int help_command(const Options& options) {
  std::string text;
  const std::vector<ManualTopic> topics = manual_topics("stagemake");
  for (const std::string& name : options.arguments) {
    const ManualTopic* topic = find(topics, name);
    if (topic == nullptr) throw bad_input("", "no topic is named " + shown(name));
    text += (text.empty() ? "" : "\n") + topic_text(*topic, "stagemake");
  }
  fmt::print("{}", text);
  return 0;
}

int manual_command(const Options& options) {
  CommandLine line = described_command_line();
  std::vector<ManualTopic> topics = manual_topics(line.program);
  if (options.output) {
    write_file(*options.output / "stagemake.1", manual_page(line, topics, STAGEMAKE_VERSION));
    for (const CompletionCommand& command : line.commands)
      write_file(*options.output / ("stagemake-" + command.name + ".1"),
                 manual_page(line, command, STAGEMAKE_VERSION));
    for (const ManualTopic& topic : topics)
      write_file(*options.output / fmt::format("{}.{}", topic.page, topic.section),
                 topic_page(topic, line.program, STAGEMAKE_VERSION));
    return 0;
  }
  if (options.arguments.empty()) fmt::print("{}", manual_page(line, topics, STAGEMAKE_VERSION));
  for (const std::string& name : options.arguments) {
    if (const CompletionCommand* command = find(line.commands, name))
      fmt::print("{}", manual_page(line, *command, STAGEMAKE_VERSION));
    else if (const ManualTopic* topic = find(topics, name))
      fmt::print("{}", topic_page(*topic, line.program, STAGEMAKE_VERSION));
    else
      throw bad_input("", "no command or topic is named " + shown(name));
  }
  return 0;
}

}  // namespace stagemake
