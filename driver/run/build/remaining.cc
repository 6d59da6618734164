#include "run/build/remaining.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostLines = 8;
constexpr std::size_t kMostNamed = 3;  // those that are furthest behind

std::string again(const RemainingWork& work) {
  return fmt::format("; {} continues from here", work.command);
}

std::string line_of(const RemainingWork& work) {
  std::string text =
      fmt::format("{}: {} of {}", work.environment, work.stages_done, counted(work.stages, "stage"));
  if (std::size_t all = work.packages_done + work.packages.size(); all > 0)
    text += fmt::format(" and {} of {}", work.packages_done, counted(all, "package"));
  text +=
      work.stages_done == 1 && work.packages.empty() && work.packages_done == 0 ? " is done" : " are done";
  if (!work.packages.empty())
    text += fmt::format(", {}{} ({}), about {}", work.is_exact ? "" : "at most ",
                        counted(work.packages.size(), "remains", "remain"), some_of(work.packages),
                        duration_text(work.seconds));
  return text + again(work);
}

std::string sum_of(std::vector<RemainingWork> all) {
  std::size_t stages = 0, packages = 0;
  double seconds = 0;
  bool is_exact = true;
  for (const RemainingWork& work : all) {
    stages += work.stages - work.stages_done;
    packages += work.packages.size();
    seconds += work.seconds;
    is_exact = is_exact && (work.is_exact || work.packages.empty());
  }
  std::stable_sort(all.begin(), all.end(), [](const RemainingWork& a, const RemainingWork& b) {
    return a.seconds != b.seconds ? a.seconds > b.seconds
                                  : a.stages - a.stages_done > b.stages - b.stages_done;
  });
  std::vector<std::string> furthest;
  for (const RemainingWork& work : all) furthest.push_back(work.environment);
  std::string text = fmt::format("{} not done: {}", counted(all.size(), "environment is", "environments are"),
                                 counted(stages, "stage"));
  if (packages > 0)
    text += fmt::format(" and {}{}", is_exact ? "" : "at most ", counted(packages, "package"));
  text += stages == 1 && packages == 0 ? " remains" : " remain";
  if (packages > 0) text += fmt::format(", about {} one after the other", duration_text(seconds));
  return text + "; furthest behind: " + some_of(furthest, kMostNamed) + again(all.front());
}

}  // namespace

std::vector<std::string> remaining_lines(std::vector<RemainingWork> all) {
  if (all.size() > kMostLines) return {sum_of(std::move(all))};
  std::vector<std::string> lines;
  for (const RemainingWork& work : all) lines.push_back(line_of(work));
  return lines;
}

}  // namespace stagemake
