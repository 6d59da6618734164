#include "report/terminal/colors.h"

#include <fmt/format.h>

namespace stagemake {

std::string painted(std::string_view text, int color, bool wanted) {
  return wanted && color != 0 ? fmt::format("\x1b[{}m{}\x1b[0m", color, text) : std::string(text);
}

int color_of(StageState state) {
  switch (state) {
    case StageState::Failed:
    case StageState::Interrupted:
      return kRed;
    case StageState::Built:
      return kGreen;
    case StageState::Reused:
    case StageState::Skipped:
      return kDim;
    default:
      return 0;
  }
}

}  // namespace stagemake
