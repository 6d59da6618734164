// A log on standard output.
#pragma once

#include <functional>
#include <string_view>

#include "base/line_cutter.h"

namespace stagemake {

// Where standard output goes. A person reads a terminal, and a CI service shows what its jobs print and obeys
// commands in it: there a log is shown, as a build shows its lines. Programs and files get it byte by byte.
enum class LogForm { Bytes, Shown };
// `in_ci`: $CI is set. A regular file never has a log in CI's form.
LogForm log_form(int descriptor, bool in_ci);
LogForm log_form();  // of standard output, in the caller's environment

class LogOutput {
 public:
  // `write` gets what is to stand on standard output.
  LogOutput(LogForm form, std::function<void(std::string_view)> write)
      : form_(form), write_(std::move(write)) {}

  void take(std::string_view piece);
  // After the last piece: a line without an end.
  void end();

 private:
  void show(std::string_view line);

  const LogForm form_;
  const std::function<void(std::string_view)> write_;
  LineCutter lines_;
};

}  // namespace stagemake
