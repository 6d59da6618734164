#include "base/process/standard_streams.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {

void fill_standard_descriptors() noexcept {
  for (int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() returns the lowest free number, which is this one. It is read-only, even for output.
    if (::open("/dev/null", O_RDONLY) < 0) (void)!::open("/", O_RDONLY | O_DIRECTORY);
  }
}

void say(std::string_view line) noexcept {
  try {
    OutputQueue err(STDERR_FILENO);
    err.add(printable_lines(line) + "\n");
  } catch (...) {
  }
}

void show_text(std::string_view text) {
  std::string clean = printable_lines(text);
  std::fwrite(clean.data(), 1, clean.size(), stdout);
}

int StandardStreams::finish(int status) noexcept {
  OutputLoss lost = out.finish();
  try {
    if (lost)
      err.add(fmt::format(
          "stagemake: standard output: {} lost: {}; see `stagemake report` and `stagemake logs`\n",
          counted(lost.lines, "line of output is", "lines of output are"), lost.why));
  } catch (...) {
  }
  bool all = !lost && !err.finish();
  return status == 0 && !all ? static_cast<int>(ExitStatus::StageFailed) : status;
}

}  // namespace stagemake
