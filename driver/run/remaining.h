// What remains of environments that a run did not come to the end of, in words. Pure.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

struct RemainingWork {
  std::string environment;
  std::size_t stages_done = 0, stages = 0;
  std::size_t packages_done = 0;
  std::vector<std::string> packages = {};  // that are to be built
  bool is_exact = true;                    // false: configure may leave some of them out
  double seconds = 0;                      // that they take, one after the other
  // The command with which a person goes on: "the same command" where that does.
  std::string command = "the same command";
};

// A line for each of them; of more than eight, one for all: who waits for 200 environments reads no 200
// lines.
std::vector<std::string> remaining_lines(std::vector<RemainingWork> all);

}  // namespace stagemake
