#include "report/event.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"

namespace stagemake {
namespace {

constexpr std::array kStageWords = {std::pair{StageState::NotWanted, std::string_view("not asked for")},
                                    std::pair{StageState::Waiting, std::string_view("waiting")},
                                    std::pair{StageState::Reused, std::string_view("reused")},
                                    std::pair{StageState::Running, std::string_view("running")},
                                    std::pair{StageState::Built, std::string_view("built")},
                                    std::pair{StageState::Failed, std::string_view("failed")},
                                    std::pair{StageState::Interrupted, std::string_view("interrupted")},
                                    std::pair{StageState::Skipped, std::string_view("skipped")}};

constexpr std::array kPackageWords = {std::pair{PackageState::Building, std::string_view("building")},
                                      std::pair{PackageState::Built, std::string_view("built")},
                                      std::pair{PackageState::Failed, std::string_view("failed")},
                                      std::pair{PackageState::Refused, std::string_view("not begun")},
                                      std::pair{PackageState::Interrupted, std::string_view("cut off")}};

template <class Words, class State>
std::string_view word_of(const Words& all, State state) {
  for (const auto& [known, text] : all)
    if (known == state) return text;
  return "";
}

template <class State, class Words>
std::optional<State> state_of(const Words& all, std::string_view word) {
  for (const auto& [state, text] : all)
    if (text == word) return state;
  return std::nullopt;
}

}  // namespace

std::string run_seconds_text(const RunSeconds& seconds) {
  constexpr double kWorthTelling = 0.5;
  std::string text = duration_text(seconds.all);
  if (seconds.pushing >= kWorthTelling)
    text += fmt::format(", {} of it pushing", duration_text(seconds.pushing));
  return text;
}

std::string_view word(StageState state) {
  return word_of(kStageWords, state);
}

std::optional<StageState> stage_state(std::string_view word) {
  return state_of<StageState>(kStageWords, word);
}

std::string_view word(PackageState state) {
  return word_of(kPackageWords, state);
}

std::optional<PackageState> package_state(std::string_view word) {
  return state_of<PackageState>(kPackageWords, word);
}

}  // namespace stagemake
