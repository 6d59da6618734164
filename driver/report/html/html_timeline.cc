#include "report/html/html_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "base/text/text.h"
#include "report/events/run_figures.h"

namespace stagemake {
namespace {

// In units of the picture, about one pixel in a browser.
constexpr double kWidth = 1200;
constexpr double kEdge = 8;
constexpr double kInside = kWidth - 2 * kEdge;
constexpr double kLane = 22;
constexpr double kAxis = 24;
constexpr double kCurve = 56;
constexpr double kCurveTitle = 22;
constexpr double kLetter = 6.8;  // width of most letters
constexpr double kHour = 3600;
constexpr std::size_t kBins = 400;
constexpr std::size_t kMostLanes = 200;

struct Bar {
  std::size_t environment = 0, stage = 0;
  Span span;
};

std::vector<Bar> bars_of(const RunRecord& run) {
  std::vector<Bar> bars;
  for (std::size_t e = 0; e < run.environments.size(); ++e)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s)
      if (Span span = span_of(run, run.environments[e].stages[s]); span.to > span.from)
        bars.push_back({e, s, span});
  return bars;
}

class Picture {
 public:
  Picture(const RunRecord& run, double seconds, HtmlPart part) : run_(run), seconds_(seconds), part_(part) {}

  double x(double time) const { return kEdge + kInside * std::clamp(time / seconds_, 0.0, 1.0); }

  void add_bars(const std::vector<Bar>& bars) {
    std::vector<Span> spans;
    for (const Bar& bar : bars) spans.push_back(bar.span);
    std::vector<std::size_t> lanes = packed_lanes(spans);
    std::size_t count = 0;
    for (std::size_t lane : lanes) count = std::max(count, std::min(lane, kMostLanes - 1) + 1);
    for (std::size_t i = 0; i < bars.size(); ++i)
      if (lanes[i] < kMostLanes) add_bar(bars[i], kAxis + kLane * static_cast<double>(lanes[i]));
    height_ = kAxis + kLane * static_cast<double>(count) + 4;
  }

  // `value`: of a sample, in 0 … 1; nothing if it has none.
  void add_curve(const std::string& title,
                 const std::function<std::optional<double>(const MachineSample&)>& value) {
    double top = height_ + kCurveTitle;
    std::string path = curve_path(value, top);
    if (path.empty()) return;
    part_.add("CURVE",
              {{"TITLE", title}, {"TITLE_Y", decimal(top - 5, 0)}, {"PATH", path}, {"Y", decimal(top, 0)}});
    height_ = top + kCurve + 6;
  }

  // Draws the axis behind everything that was added.
  void finish() {
    part_.set({{"WIDTH", decimal(kWidth, 0)},
               {"HEIGHT", decimal(height_, 0)},
               {"EDGE", decimal(kEdge, 0)},
               {"INSIDE", decimal(kInside, 0)},
               {"BAR_HEIGHT", decimal(kLane - 4, 0)},
               {"CURVE_HEIGHT", decimal(kCurve, 0)}});
    double by = step();
    bool hours = seconds_ >= kHour;
    for (double time = 0; time <= seconds_; time += by) {
      auto small = static_cast<long long>(hours ? time / 60 : time);
      part_.add("TICK", {{"X", decimal(x(time), 1)},
                         {"ANCHOR", time == 0               ? "start"
                                    : x(time) > kWidth - 30 ? "end"
                                                            : "middle"},
                         {"CLOCK", fmt::format("{}:{:02}", small / 60, small % 60)}});
    }
  }

 private:
  // A round step of time, at least 70 units wide.
  double step() const {
    constexpr double kSteps[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                 600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    double least = seconds_ * 70 / kWidth;
    for (double step : kSteps)
      if (step >= least) return step;
    double days = 86400;
    while (days < least) days *= 2;
    return days;
  }

  // As much of a name as fits into a bar; a sign in front marks stages that did not succeed.
  static std::string bar_text(const std::string& name, StageState state, double width) {
    std::string sign = state == StageState::Failed ? "✗" : state == StageState::Interrupted ? "!" : "";
    double room = (width - 8) / kLetter - (sign.empty() ? 0 : 2);
    if (room < 4) return room > -1 ? sign : "";
    auto letters = static_cast<std::size_t>(room);
    return (sign.empty() ? "" : sign + " ") + bounded(name, name.size() <= letters ? kWhole : letters - 1);
  }

  void add_bar(const Bar& bar, double y) {
    const EnvironmentRecord& environment = run_.environments[bar.environment];
    const StageRecord& stage = environment.stages[bar.stage];
    StageState state = stage.status.state;
    double from = x(bar.span.from);
    double width = std::max(x(bar.span.to) - from, 1.5);
    part_.add("BAR", {{"STATE", word(state)},
                      {"ENVIRONMENT", environment.name, 120},
                      {"STAGE", stage.name, 100},
                      {"TOOK", duration(bar.span.to - bar.span.from)},
                      {"START", duration(bar.span.from)},
                      {"X", decimal(from, 1)},
                      {"Y", decimal(y, 0)},
                      {"BAR_WIDTH", decimal(width, 1)},
                      {"LABEL", bar_text(environment.name + " " + stage.name, state, width)},
                      {"LABEL_X", decimal(from + 4, 1)},
                      {"LABEL_Y", decimal(y + 13, 0)}});
  }

  // A closed path of the means over as many intervals as can be distinguished.
  std::string curve_path(const std::function<std::optional<double>(const MachineSample&)>& value,
                         double top) const {
    std::vector<std::pair<double, std::size_t>> bins(kBins);
    for (const RunRecord::Sample& sample : run_.samples) {
      std::optional<double> one = value(sample.machine);
      if (!one || !std::isfinite(*one) || !std::isfinite(sample.time)) continue;
      double place = std::clamp((sample.time - run_.began) / seconds_, 0.0, 1.0) * (kBins - 1);
      auto& [sum, count] = bins[static_cast<std::size_t>(place)];
      sum += std::clamp(*one, 0.0, 1.0), ++count;
    }
    std::string points;
    double last = 0, first = -1;
    for (std::size_t i = 0; i < kBins; ++i) {
      if (bins[i].second == 0) continue;
      last = x(seconds_ * (static_cast<double>(i) + 0.5) / kBins);
      if (first < 0) first = last;
      points += fmt::format("L{:.1f} {:.1f}", last,
                            top + kCurve * (1 - bins[i].first / static_cast<double>(bins[i].second)));
    }
    if (points.empty()) return {};
    return fmt::format("M{:.1f} {:.1f}{}L{:.1f} {:.1f}Z", first, top + kCurve, points, last, top + kCurve);
  }

  const RunRecord& run_;
  double seconds_;
  HtmlPart part_;
  double height_ = kAxis;
};

void add_curves(Picture& picture, const RunRecord& run) {
  unsigned slots = 0;
  double busy = 0, memory = 0;
  for (const RunRecord::Sample& sample : run.samples) {
    slots = std::max({slots, sample.machine.slots, sample.machine.slots_used});
    if (sample.machine.busy > 0) busy += std::min(sample.machine.busy, 1.0);
    if (sample.machine.memory > 0) memory = std::max(memory, std::min(sample.machine.memory, 1.0));
  }
  if (run.samples.empty()) return;
  std::string of = run.facts.processors > 0 ? fmt::format(" of {}", run.facts.processors) : "";
  picture.add_curve(fmt::format("processors busy{}, {:.0f} % on average", of,
                                100 * busy / static_cast<double>(run.samples.size())),
                    [](const MachineSample& one) { return one.busy; });
  picture.add_curve(fmt::format("memory in use, {:.0f} % at most", 100 * memory),
                    [](const MachineSample& one) { return one.memory; });
  if (slots > 0)
    picture.add_curve(fmt::format("job slots in use, of {}", slots), [slots](const MachineSample& one) {
      return static_cast<double>(one.slots_used) / slots;
    });
}

}  // namespace

void fill_timeline(const ReportInput& input, HtmlPart page) {
  std::vector<Bar> bars = bars_of(input.run);
  if (bars.empty() && input.run.samples.empty()) return;
  double seconds = extent(input.run);
  Picture picture(input.run, seconds,
                  page.add("TIMELINE", {{"UNIT", seconds >= kHour ? "hours" : "minutes"},
                                        {"STAGES", counted(bars.size(), "stage")},
                                        {"LENGTH", duration_text(seconds)}}));
  picture.add_bars(bars);
  add_curves(picture, input.run);
  picture.finish();
}

}  // namespace stagemake
