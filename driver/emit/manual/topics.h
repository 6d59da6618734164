// The topics of the manual: as manual pages, and as text for `help TOPIC`. Both come from driver/manual.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "emit/manual/markdown.h"

namespace stagemake {

struct ManualTopic {
  std::string name;  // "events", "ci-docker.toml"
  std::string page;  // name of its manual page: "stagemake-events", or that of the file it describes
  int section = 7;   // of the manual: 5 for a file, 7 for all others
  std::string what;  // one line
  std::vector<MarkdownBlock> blocks = {};
};

// All topics, sorted by name.
std::vector<ManualTopic> manual_topics(const std::string& program);
// One topic from its Markdown. Throws as parse_markdown does.
ManualTopic manual_topic(const std::string& program, const std::string& name, std::string_view markdown);

// man(7) source. `version` is the program's.
std::string topic_page(const ManualTopic& topic, const std::string& program, const std::string& version);

// Lines of at most kTerminalColumns for a terminal or a pipe. A longer word gets its own line.
std::string topic_text(const ManualTopic& topic, const std::string& program);

// A block of code within `width` columns: if a comment does not fit beside its line, all comments go above
// their lines; a long command continues behind a backslash, other lines continue further to the right.
std::vector<std::string> narrow_code(const std::vector<std::string>& lines, std::size_t width);

}  // namespace stagemake
