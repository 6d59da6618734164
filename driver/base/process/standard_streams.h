// The output of a build: standard output and standard error, each a queue that never blocks a stage.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/process/output_queue.h"

namespace stagemake {

// Opens closed standard input, output and error, so that no file opened later gets such a number, and with it
// all printed output. Writes to them fail, as they do on a closed descriptor. Call this before anything else.
void fill_standard_descriptors() noexcept;

// Prints one or more lines on standard error, formatted by printable_lines(), without the last line's end.
// For the end of a command: waits up to OutputQueue::kPatience for a reader, and never fails.
void say(std::string_view line) noexcept;

// Prints lines for people on standard output, formatted by printable_lines(), because names and messages in
// them may come from others. Not for output that programs read.
void show_text(std::string_view text);

template <class... Values>
void show(fmt::format_string<Values...> format, Values&&... values) {
  show_text(fmt::format(format, std::forward<Values>(values)...));
}

struct StandardStreams {
  OutputQueue out{1};
  OutputQueue err{2};

  // Writes the queued text, and reports lost lines on standard error. Returns `status`, the exit status of
  // the command, or ExitStatus::StageFailed if that is 0 and lines were lost.
  int finish(int status) noexcept;
};

}  // namespace stagemake
