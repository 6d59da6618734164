#include "report/terminal/time_left.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "report/events/run_figures.h"
#include "schedule/simulation.h"

namespace stagemake {
namespace {

constexpr double kUnknownStage = 5;   // seconds, if there is no prediction
constexpr double kAlmost = 0.99;      // of the work, while something is running
constexpr double kMostPace = 4;       // times slower than predicted
constexpr std::size_t kTelling = 3;   // packages needed to estimate the pace
constexpr double kSlowEnough = 1;     // seconds; packages predicted to take less do not count for the pace
constexpr double kNothingLeft = 0.5;  // seconds

const StageRecord& at(const RunRecord& run, StageAddress place) {
  return run.environments[place.environment].stages[place.stage];
}

double seconds_of(const StageRecord& stage) {
  double seconds = sane_seconds(stage.expected.seconds);
  return seconds > 0 ? seconds : kUnknownStage;
}

double work_of(const StageRecord& stage) {
  double work = sane_seconds(stage.expected.work);
  return work > 0 ? work : seconds_of(stage);
}

bool is_wanted(const StageRecord& stage) {
  return stage.status.state != StageState::NotWanted && stage.status.state != StageState::Reused;
}

unsigned slots_of(const RunRecord& run) {
  if (!run.samples.empty() && run.samples.back().machine.slots > 0) return run.samples.back().machine.slots;
  if (run.facts.slots > 0) return run.facts.slots;
  return std::max(1u, run.facts.processors);
}

// How much longer than predicted packages took in this run; at least 1.
double pace_of(const RunRecord& run) {
  double predicted = 0, took = 0;
  std::size_t count = 0;
  for (const EnvironmentRecord& environment : run.environments)
    for (const StageRecord& stage : environment.stages) {
      if (stage.expected.makes.empty()) continue;
      std::map<std::string_view, double> seconds;
      for (const ExpectedPackage& one : stage.expected.makes) seconds[one.name] = sane_seconds(one.seconds);
      for (const PackageRecord& package : stage.packages) {
        auto found = seconds.find(package.name);
        if (package.state != PackageState::Built || package.began <= 0 || found == seconds.end() ||
            found->second < kSlowEnough)
          continue;
        predicted += found->second;
        took += sane_seconds(package.ended - package.began);
        ++count;
      }
    }
  return count < kTelling ? 1 : std::clamp(took / predicted, 1.0, kMostPace);
}

// The packages of a running stage and their states so far.
class RunningPackages {
 public:
  RunningPackages(const StageRecord& stage, double now, double pace)
      : makes_(stage.expected.makes), left_(makes_.size()), states_(makes_.size(), State::Waits) {
    std::map<std::string_view, std::size_t> positions;
    for (std::size_t i = 0; i < makes_.size(); ++i) {
      positions[makes_[i].name] = i;
      left_[i] = pace * sane_seconds(makes_[i].seconds);
    }
    for (const PackageRecord& package : stage.packages)
      if (auto found = positions.find(package.name); found != positions.end())
        take(found->second, package, now);
    spread();
  }

  StageLeft left(unsigned slots) const {
    SimulatedStage rest;
    std::vector<std::size_t> places(makes_.size());
    bool waits = false, is_late = false;
    for (std::size_t i = 0; i < makes_.size(); ++i)
      if (states_[i] == State::InFlight) {
        places[i] = rest.packages.size();
        rest.packages.push_back({.seconds = left_[i]});
        is_late = is_late || left_[i] == 0;
      }
    for (std::size_t i = 0; i < makes_.size(); ++i)
      if (states_[i] == State::Waits) {
        waits = true;
        places[i] = rest.packages.size();
        SimulatedPackage package{.seconds = left_[i]};
        for (std::size_t needed : makes_[i].needs)
          if (needed < i && is_pending(needed)) package.needs.push_back(places[needed]);
        rest.packages.push_back(std::move(package));
      }
    StageLeft left{.seconds = rest.seconds_with(slots), .work = rest.work()};
    left.is_overdue = !waits && is_late && left.seconds < kNothingLeft;
    return left;
  }

 private:
  enum class State { Waits, InFlight, Built, Never };

  bool is_pending(std::size_t i) const { return states_[i] == State::Waits || states_[i] == State::InFlight; }

  void take(std::size_t i, const PackageRecord& package, double now) {
    switch (package.state) {
      case PackageState::Building:
        states_[i] = State::InFlight;
        left_[i] = std::max(0.0, left_[i] - sane_seconds(now - package.began));
        break;
      case PackageState::Built:
        states_[i] = State::Built;
        break;
      case PackageState::Failed:
      case PackageState::Refused:
      case PackageState::Interrupted:
        states_[i] = State::Never;
        break;
    }
  }

  void spread() {
    // When a package begins, everything that it needs is there.
    for (std::size_t i = makes_.size(); i-- > 0;)
      if (states_[i] == State::InFlight || states_[i] == State::Built)
        for (std::size_t needed : makes_[i].needs)
          if (needed < i && states_[needed] == State::Waits) states_[needed] = State::Built;
    for (std::size_t i = 0; i < makes_.size(); ++i)
      for (std::size_t needed : makes_[i].needs)
        if (needed < i && states_[needed] == State::Never && states_[i] == State::Waits)
          states_[i] = State::Never;
  }

  const std::vector<ExpectedPackage>& makes_;
  std::vector<double> left_;  // seconds of each
  std::vector<State> states_;
};

StageLeft left_of(const StageRecord& stage, double now, unsigned slots, double pace) {
  double elapsed = sane_seconds(now - stage.began);
  // Before the first package, and without reports of a guard, only the elapsed time counts.
  if (!stage.expected.makes.empty() && !stage.packages.empty())
    return RunningPackages(stage, now, pace).left(slots);
  StageLeft left;
  left.seconds = std::max(0.0, seconds_of(stage) - elapsed);
  left.work = work_of(stage) * left.seconds / seconds_of(stage);
  left.is_overdue = stage.expected.seconds > 0 && left.seconds < kNothingLeft;
  return left;
}

}  // namespace

std::vector<StageAddress> running_stages(const RunRecord& run) {
  std::vector<StageAddress> all;
  for (std::size_t e = 0; e < run.environments.size(); ++e)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s)
      if (run.environments[e].stages[s].status.state == StageState::Running)
        all.push_back({.environment = e, .stage = s});
  std::stable_sort(all.begin(), all.end(),
                   [&](StageAddress a, StageAddress b) { return at(run, a).began < at(run, b).began; });
  return all;
}

StageLeft stage_left(const RunRecord& run, StageAddress place, double now) {
  auto count = static_cast<unsigned>(std::max<std::size_t>(1, run.count(StageState::Running)));
  unsigned slots = (slots_of(run) + count - 1) / count;
  return left_of(at(run, place), now, slots, pace_of(run));
}

RunLeft run_left(const RunRecord& run, double now) {
  const unsigned slots = slots_of(run);
  const double pace = pace_of(run);
  RunLeft left;
  double longest = 0;
  bool any_late = false, any_on_time = false;
  for (const EnvironmentRecord& environment : run.environments) {
    double path = 0;
    for (const StageRecord& stage : environment.stages) {
      if (!is_wanted(stage)) continue;
      left.all_work += work_of(stage);
      if (stage.status.state == StageState::Waiting) {
        left.work += work_of(stage);
        path += seconds_of(stage);
        any_on_time = true;
      } else if (stage.status.state == StageState::Running) {
        StageLeft rest = left_of(stage, now, slots, pace);
        left.work += std::min(rest.work, work_of(stage) * pace);
        path += rest.seconds;
        (rest.is_overdue ? any_late : any_on_time) = true;
      }
    }
    longest = std::max(longest, path);
  }
  left.bound = std::max(left.work / slots, longest);
  left.is_overdue = any_late && !any_on_time;
  return left;
}

Progress progress_of(const RunRecord& run, double now) {
  Progress progress;
  for (const EnvironmentRecord& environment : run.environments)
    for (const StageRecord& stage : environment.stages) {
      if (!is_wanted(stage)) continue;
      ++progress.stages;
      progress.packages += stage.expected.packages;
      for (const PackageRecord& package : stage.packages)
        progress.packages_done += package.state == PackageState::Built ? 1 : 0;
      progress.waiting += stage.status.state == StageState::Waiting ? 1 : 0;
      progress.failed += stage.status.state == StageState::Failed ? 1 : 0;
      bool goes_on = stage.status.state == StageState::Waiting || stage.status.state == StageState::Running;
      progress.stages_done += goes_on ? 0 : 1;
    }
  progress.packages = std::max(progress.packages, progress.packages_done);
  if (progress.stages == 0) return progress;
  RunLeft left = run_left(run, now);
  bool goes_on = run.ended == 0 && progress.stages_done < progress.stages;
  progress.fraction =
      std::clamp(1 - left.work / left.all_work, 0.0, progress.stages_done < progress.stages ? kAlmost : 1.0);
  if (!goes_on) return progress;
  double ratio = run.expected_bound > 0 ? run.expected_seconds / run.expected_bound : 1;
  progress.seconds_left = std::isfinite(ratio) ? left.bound * std::max(1.0, ratio) : left.bound;
  progress.is_overdue = left.is_overdue;
  return progress;
}

}  // namespace stagemake
