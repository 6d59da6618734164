// Prints a log to standard output.
#pragma once

#include <functional>
#include <string_view>

#include "base/text/line_cutter.h"

namespace stagemake {

// Depends on where standard output goes. On a terminal, and in a CI service, which obeys commands in the
// output of its jobs, a log is made printable like the lines of a build. Programs and files get its bytes
// unchanged.
enum class LogForm { Bytes, Shown };
// `in_ci`: $CI is set. A regular file always gets bytes, also in CI.
LogForm log_form(int descriptor, bool in_ci);
LogForm log_form();  // for standard output, in the caller's environment

class LogOutput {
 public:
  // `write` gets the text for standard output.
  LogOutput(LogForm form, std::function<void(std::string_view)> write)
      : form_(form), write_(std::move(write)) {}

  void take(std::string_view piece);
  // Call after the last piece: prints a last line without line end.
  void end();

 private:
  void show(std::string_view line);

  const LogForm form_;
  const std::function<void(std::string_view)> write_;
  LineCutter lines_;
};

}  // namespace stagemake
