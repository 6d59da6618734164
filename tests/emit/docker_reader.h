// A Dockerfile as docker reads it, as far as stagemake's need it: continuations joined, comments dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct Instruction {
  std::string name;       // "FROM", "RUN", …
  std::string arguments;  // the rest of the joined line
  // RUN: the command that docker starts.
  std::vector<std::string> command() const;
};

std::vector<Instruction> read_dockerfile(std::string_view text);

}  // namespace stagemake
