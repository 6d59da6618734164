#include "report/events/event.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text/text.h"

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

constexpr std::array kEventWords = {std::pair{EventKind::Run, std::string_view("run")},
                                    std::pair{EventKind::Outlook, std::string_view("outlook")},
                                    std::pair{EventKind::Begin, std::string_view("begin")},
                                    std::pair{EventKind::Expected, std::string_view("expected")},
                                    std::pair{EventKind::Stage, std::string_view("stage")},
                                    std::pair{EventKind::Package, std::string_view("package")},
                                    std::pair{EventKind::Note, std::string_view("note")},
                                    std::pair{EventKind::Machine, std::string_view("machine")},
                                    std::pair{EventKind::Lost, std::string_view("lost")},
                                    std::pair{EventKind::End, std::string_view("end")},
                                    std::pair{EventKind::Exit, std::string_view("exit")}};
static_assert(kEventWords.size() == kEventKinds);

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

std::string_view word(EventKind kind) {
  return word_of(kEventWords, kind);
}

std::optional<EventKind> event_kind(std::string_view word) {
  return state_of<EventKind>(kEventWords, word);
}

}  // namespace stagemake
