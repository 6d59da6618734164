// stagemake as a user calls it, in this process.
#pragma once

#include <string>
#include <vector>

namespace stagemake::test {

struct Called {
  int status = -1;
  std::string output, errors;
};

// `words`: without the program's name.
Called call_stagemake(std::vector<std::string> words);

}  // namespace stagemake::test
