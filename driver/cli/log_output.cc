#include "cli/log_output.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/process/callers_environment.h"
#include "base/text/text.h"
#include "report/ci/ci_output.h"

namespace stagemake {

LogForm log_form(int descriptor, bool in_ci) {
  struct stat facts {};
  bool is_file = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  return ::isatty(descriptor) == 1 || (in_ci && !is_file) ? LogForm::Shown : LogForm::Bytes;
}

LogForm log_form() {
  return log_form(STDOUT_FILENO, !callers_variable("CI").empty());
}

void LogOutput::take(std::string_view piece) {
  if (form_ == LogForm::Bytes) return write_(piece);
  lines_.take(piece, [this](std::string_view line) { show(line); });
}

void LogOutput::end() {
  if (form_ == LogForm::Shown) lines_.rest([this](std::string_view line) { show(line); });
}

void LogOutput::show(std::string_view line) {
  write_(harmless(printable(line)) + "\n");
}

}  // namespace stagemake
