#include "emit/docker_reader.h"

#include <nlohmann/json.hpp>

#include "base/text/text.h"

namespace stagemake {

std::vector<std::string> Instruction::command() const {
  if (arguments.starts_with('[')) return nlohmann::json::parse(arguments);
  return {"/bin/sh", "-c", arguments};
}

std::vector<Instruction> read_dockerfile(std::string_view text) {
  std::vector<Instruction> result;
  std::string joined;
  for (std::string_view line : lines(text)) {
    // Also between the lines of one instruction.
    std::string_view content = trimmed(line);
    if (content.empty() || content.starts_with('#')) continue;
    std::size_t end = line.find_last_not_of(" \t");
    if (line[end] == '\\') {
      joined += line.substr(0, end);
      continue;
    }
    joined += line;
    std::size_t blank = joined.find(' ');
    result.push_back({joined.substr(0, blank), joined.substr(blank + 1)});
    joined.clear();
  }
  if (!joined.empty()) result.push_back({"UNFINISHED", joined});
  return result;
}

}  // namespace stagemake
