#include "cli/colors.h"

#include <unistd.h>

#include <cstdio>

#include "base/process/callers_environment.h"

namespace stagemake {

bool is_redrawn(int descriptor) {
  std::string term = callers_variable("TERM");
  return ::isatty(descriptor) == 1 && !term.empty() && term != "dumb" && callers_variable("CI").empty();
}

bool has_colors(const Options& options, int descriptor) {
  return options.color == "always" ||
         (options.color == "auto" && is_redrawn(descriptor) && callers_variable("NO_COLOR").empty());
}

bool has_colors(const Options& options) {
  return has_colors(options, STDOUT_FILENO);
}

void show_painted(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace stagemake
