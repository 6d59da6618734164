#include "report/events/run_record.h"

#include <algorithm>

#include "report/terminal/time_left.h"

namespace stagemake {
namespace {

StageRecord* stage_at(RunRecord& run, StageAddress at) {
  if (at.environment >= run.environments.size()) return nullptr;
  std::vector<StageRecord>& stages = run.environments[at.environment].stages;
  return at.stage < stages.size() ? &stages[at.stage] : nullptr;
}

}  // namespace

std::size_t RunRecord::count(StageState state) const {
  std::size_t sum = 0;
  for (const EnvironmentRecord& environment : environments)
    sum += static_cast<std::size_t>(
        std::count_if(environment.stages.begin(), environment.stages.end(),
                      [&](const StageRecord& stage) { return stage.status.state == state; }));
  return sum;
}

void RunRecord::begin(double time, const std::vector<EnvironmentStatus>& all) {
  began = last_event = time;
  environments.clear();
  for (const EnvironmentStatus& one : all) {
    EnvironmentRecord& environment = environments.emplace_back(EnvironmentRecord{.name = one.name});
    for (std::size_t s = 0; s < one.stages.size() && s < one.stage_names.size(); ++s)
      environment.stages.push_back(
          {.name = one.stage_names[s],
           .status = one.stages[s],
           .expected = s < one.expected.size() ? one.expected[s] : StageExpectation()});
  }
  expected_bound = run_left(*this, time).bound;
}

void RunRecord::change(double time, StageAddress at, StageStatus status) {
  last_event = time;
  StageRecord* record = stage_at(*this, at);
  if (record == nullptr) return;
  if (status.state == StageState::Running && record->began == 0) record->began = time;
  bool ends = did_run(status.state);
  if (ends) record->ended = time;
  if (ends && record->began == 0) record->began = time - status.seconds;
  // Packages still in progress were interrupted.
  if (ends)
    for (PackageRecord& package : record->packages)
      if (package.state == PackageState::Building)
        package.state = PackageState::Interrupted, package.ended = time;
  record->status = std::move(status);
}

void RunRecord::package(double time, StageAddress at, const PackageStatus& package) {
  last_event = time;
  StageRecord* record = stage_at(*this, at);
  if (record == nullptr) return;
  if (package.state == PackageState::Building) {
    record->packages.push_back({.name = package.name, .began = time});
    return;
  }
  auto found =
      std::find_if(record->packages.rbegin(), record->packages.rend(), [&](const PackageRecord& one) {
        return one.name == package.name && one.state == PackageState::Building;
      });
  if (found == record->packages.rend()) {
    record->packages.push_back({.name = package.name, .state = package.state, .ended = time});
  } else {
    found->state = package.state;
    found->ended = time;
  }
}

void RunRecord::sample(double time, const MachineSample& machine) {
  last_event = time;
  samples.push_back({time, machine});
}

void RunRecord::note(double time, std::string text) {
  last_event = time;
  notes.push_back({time, std::move(text)});
}

// The reasons do not change: they are only known at the beginning.
void RunRecord::expect(StageAddress at, StageExpectation expectation) {
  StageRecord* record = stage_at(*this, at);
  if (record == nullptr) return;
  if (expectation.reasons.empty()) expectation.reasons = std::move(record->expected.reasons);
  record->expected = std::move(expectation);
}

void RunRecord::end(double time, double pushing_seconds) {
  ended = last_event = time;
  pushing = pushing_seconds;
}

std::vector<EnvironmentStatus> statuses(const RunRecord& run) {
  std::vector<EnvironmentStatus> all;
  for (const EnvironmentRecord& one : run.environments) {
    EnvironmentStatus& environment =
        all.emplace_back(EnvironmentStatus{.name = one.name, .stage_names = {}, .stages = {}});
    for (const StageRecord& stage : one.stages) {
      environment.stage_names.push_back(stage.name);
      environment.stages.push_back(stage.status);
      environment.expected.push_back(stage.expected);
    }
  }
  return all;
}

}  // namespace stagemake
