// What a build prints: standard output and standard error, each a queue that no stage waits for.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/output_queue.h"

namespace stagemake {

// Puts something into the places of standard input, output and error that are closed, so that no file opened
// later gets such a number, and with it everything that is printed. Writing there fails, as it does to what is
// closed. To be called first of all.
void fill_standard_descriptors() noexcept;

// A line or more for a person on standard error, without the last one's end, as printable_lines() makes it. For the end of a command: waits up to
// OutputQueue::kPatience for a reader, and never fails.
void say(std::string_view line) noexcept;

// Lines for a person on standard output, as printable_lines() makes them: names and messages in them may be
// others'. Not for what programs read.
void show_text(std::string_view text);

template <class... Values>
void show(fmt::format_string<Values...> format, Values&&... values) {
  show_text(fmt::format(format, std::forward<Values>(values)...));
}

struct StandardStreams {
  OutputQueue out{1};
  OutputQueue err{2};

  // Writes what waits, and says on standard error what was lost. Returns `status`, the exit status of the
  // command, or where that is 0 and lines were lost, ExitStatus::StageFailed.
  int finish(int status) noexcept;
};

}  // namespace stagemake
