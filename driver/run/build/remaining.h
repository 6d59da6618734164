// Describes what remains of environments that a run did not finish. Pure.
#pragma once

#include <string>
#include <vector>

namespace stagemake {

struct RemainingWork {
  std::string environment;
  std::size_t stages_done = 0, stages = 0;
  std::size_t packages_done = 0;
  std::vector<std::string> packages = {};  // to build
  bool is_exact = true;                    // false: configure may drop some of them
  double seconds = 0;                      // for all of them, one after the other
  // The command that continues the build: "the same command" if that works.
  std::string command = "the same command";
};

// One line per environment; one line for all if there are more than eight, because nobody who builds 200
// environments reads 200 lines.
std::vector<std::string> remaining_lines(std::vector<RemainingWork> all);

}  // namespace stagemake
