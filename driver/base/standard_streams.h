// What a build prints: standard output and standard error, each a queue that no stage waits for.
#pragma once

#include <string_view>

#include "base/output_queue.h"

namespace stagemake {

// Puts something into the places of standard input, output and error that are closed, so that no file opened
// later gets such a number, and with it everything that is printed. Writing there fails, as it does to what is
// closed. To be called first of all.
void fill_standard_descriptors() noexcept;

// A line for a person on standard error, without its end. For the end of a command: waits up to
// OutputQueue::kPatience for a reader, and never fails.
void say(std::string_view line) noexcept;

struct StandardStreams {
  OutputQueue out{1};
  OutputQueue err{2};

  // Writes what waits, and says on standard error what was lost. Returns `status`, the exit status of the
  // command, or where that is 0 and lines were lost, ExitStatus::StageFailed.
  int finish(int status) noexcept;
};

}  // namespace stagemake
