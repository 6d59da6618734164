#include "report/events/run_figures.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <queue>
#include <set>

#include "base/text/text.h"

namespace stagemake {
namespace {

constexpr double kMostSeconds = 1e9;
constexpr double kEndOfCalendar = 253402300799.0;  // 9999-12-31T23:59:59

Span span_between(const RunRecord& run, double began, double ended) {
  if (began <= 0 || !std::isfinite(began)) return {};
  Span span;
  span.from = sane_seconds(began - run.began);
  double end = ended > 0 && std::isfinite(ended) ? ended : std::max(run.last_event, run.ended);
  span.to = std::max(span.from, sane_seconds(end - run.began));
  return span;
}

template <class Value, class Greater>
void keep_first(std::vector<Value>& all, std::size_t most, Greater greater) {
  std::stable_sort(all.begin(), all.end(), greater);
  if (all.size() > most) all.resize(most);
}

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

double sane_seconds(double seconds) {
  return seconds > 0 ? std::min(seconds, kMostSeconds) : 0;  // also for NaN
}

std::string_view beginning(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  for (int i = 0; i < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80; ++i) --end;
  return text.substr(0, end);
}

std::string utc_time(double time) {
  if (!(time > 0 && time <= kEndOfCalendar)) return {};
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(time)));
}

Span span_of(const RunRecord& run, const StageRecord& stage) {
  if (!did_run(stage.status.state) && stage.status.state != StageState::Running) return {};
  return span_between(run, stage.began, stage.status.state == StageState::Running ? 0 : stage.ended);
}

Span span_of(const RunRecord& run, const StageRecord& stage, const PackageRecord& package) {
  // A package without a recorded end cannot have run longer than its stage.
  double ended = package.ended > 0 ? package.ended : stage.ended;
  return span_between(run, package.began, ended);
}

double extent(const RunRecord& run) {
  double end = sane_seconds(run.seconds());
  for (const EnvironmentRecord& environment : run.environments)
    for (const StageRecord& stage : environment.stages) end = std::max(end, span_of(run, stage).to);
  return end > 0 ? end : 1;
}

std::vector<std::size_t> packed_lanes(const std::vector<Span>& spans) {
  std::vector<std::size_t> order(spans.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return spans[a].from < spans[b].from; });
  std::vector<std::size_t> lanes(spans.size());
  using Busy = std::pair<double, std::size_t>;  // busy until, lane
  std::priority_queue<Busy, std::vector<Busy>, std::greater<>> busy;
  std::set<std::size_t> free;
  std::size_t count = 0;
  for (std::size_t i : order) {
    for (; !busy.empty() && busy.top().first <= spans[i].from; busy.pop()) free.insert(busy.top().second);
    if (free.empty()) free.insert(count++);
    lanes[i] = free.extract(free.begin()).value();
    busy.emplace(spans[i].to, lanes[i]);
  }
  return lanes;
}

const StageRecord* stage_at(const RunRecord& run, const FailurePlace& place) {
  if (place.environment >= run.environments.size()) return nullptr;
  const std::vector<StageRecord>& stages = run.environments[place.environment].stages;
  return place.stage < stages.size() ? &stages[place.stage] : nullptr;
}

const LogFinding* finding_at(const RunRecord& run, const FailurePlace& place) {
  const StageRecord* stage = stage_at(run, place);
  if (stage == nullptr || place.finding >= stage->status.findings.size()) return nullptr;
  return &stage->status.findings[place.finding];
}

std::string log_of(const StageRecord& stage, const LogFinding* finding) {
  return finding != nullptr && !finding->file.empty() ? finding->file : stage.status.log;
}

std::string reproduce_command(const ReportInput& input, const FailurePlace& place) {
  const StageRecord* stage = stage_at(input.run, place);
  if (stage == nullptr || !input.reproduce) return {};
  return input.reproduce(input.run.environments[place.environment].name, stage->name);
}

std::vector<PackageFigures> slowest_packages(const RunRecord& run, std::size_t most) {
  std::map<std::string, std::pair<PackageFigures, std::vector<double>>> by_name;
  for (std::size_t e = 0; e < run.environments.size(); ++e)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s) {
      const StageRecord& stage = run.environments[e].stages[s];
      for (const PackageRecord& package : stage.packages) {
        Span span = span_of(run, stage, package);
        if (span.to <= span.from) continue;
        auto& [figures, all] = by_name[package.name];
        all.push_back(span.to - span.from);
        if (all.back() > figures.longest)
          figures.longest = all.back(), figures.environment = e, figures.stage = s;
      }
    }
  std::vector<PackageFigures> result;
  for (auto& [name, entry] : by_name) {
    entry.first.name = name;
    entry.first.times = entry.second.size();
    entry.first.usual = median(std::move(entry.second));
    result.push_back(std::move(entry.first));
  }
  keep_first(result, most, [](const auto& a, const auto& b) { return a.longest > b.longest; });
  return result;
}

std::vector<StageFigures> slowest_stages(const RunRecord& run, std::size_t most) {
  std::vector<StageFigures> result;
  for (std::size_t e = 0; e < run.environments.size(); ++e)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s) {
      Span span = span_of(run, run.environments[e].stages[s]);
      if (span.to > span.from) result.push_back({e, s, span.to - span.from});
    }
  keep_first(result, most, [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return result;
}

CacheUse cache_use(const RunRecord& run) {
  CacheUse use;
  use.reused = run.count(StageState::Reused);
  use.built = run.count(StageState::Built);
  use.failed = run.count(StageState::Failed) + run.count(StageState::Interrupted);
  for (const EnvironmentRecord& environment : run.environments)
    for (const StageRecord& stage : environment.stages)
      use.packages += static_cast<std::size_t>(
          std::count_if(stage.packages.begin(), stage.packages.end(),
                        [](const PackageRecord& one) { return one.state == PackageState::Built; }));
  use.seconds = sane_seconds(run.seconds());
  return use;
}

std::size_t count(const Verdict& verdict, FailureGroup::Kind kind) {
  return static_cast<std::size_t>(std::count_if(verdict.groups.begin(), verdict.groups.end(),
                                                [&](const FailureGroup& one) { return one.kind == kind; }));
}

std::string result_line(const ReportInput& input) {
  std::string failures;
  auto add = [&](std::size_t number, std::string_view what) {
    if (number > 0) failures += fmt::format("{}{} {}", failures.empty() ? "; " : ", ", number, what);
  };
  std::size_t fresh = count(input.verdict, FailureGroup::Kind::New);
  std::size_t again = count(input.verdict, FailureGroup::Kind::Again);
  add(fresh, fresh == 1 ? "new failure" : "new failures");
  add(again, fresh > 0 ? "as before" : again == 1 ? "failure as before" : "failures as before");
  std::size_t expected = count(input.verdict, FailureGroup::Kind::Expected);
  add(expected, fresh + again > 0 ? "expected" : expected == 1 ? "expected failure" : "expected failures");
  return fmt::format("{} of {} well{}", input.verdict.environments_well,
                     counted(input.verdict.environments, "environment"), failures);
}

}  // namespace stagemake
