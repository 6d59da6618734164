#include "run/build/run_progress.h"

#include <algorithm>
#include <utility>

#include "run/build/prepare.h"

namespace stagemake {

RunProgress::RunProgress(const std::vector<EnvironmentBuild>& builds, Reporter& reporter)
    : reporter_(reporter) {
  for (const EnvironmentBuild& build : builds) {
    result_.environments.push_back(status_of(build));
    result_.environments.back().expected.resize(build.plan.stages.size());
  }
}

void RunProgress::note_at_end(std::string text) {
  std::lock_guard lock(mutex_);
  if (std::find(at_end_.begin(), at_end_.end(), text) == at_end_.end()) at_end_.push_back(std::move(text));
}

void RunProgress::show_notes_at_end() {
  for (const std::string& text : at_end_) reporter_.note(text);
}

void RunProgress::begin() {
  reporter_.begins(result_.environments);
}

void RunProgress::end(const RunSeconds& seconds) {
  reporter_.ends(result_.environments, seconds);
}

StageStatus RunProgress::status(StageAddress at) const {
  std::lock_guard lock(mutex_);
  return result_.environments[at.environment].stages[at.stage];
}

void RunProgress::change(StageAddress at, StageStatus status) {
  std::lock_guard lock(mutex_);
  result_.environments[at.environment].stages[at.stage] = std::move(status);
  reporter_.changed(result_.environments, at);
}

void RunProgress::lose(StageAddress at) noexcept {
  std::lock_guard lock(mutex_);
  has_failed_ = result_.engine_failed = true;
  result_.environments[at.environment].stages[at.stage].state = StageState::Failed;
}

void RunProgress::set_expected(StageAddress at, StageExpectation expected) {
  result_.environments[at.environment].expected[at.stage] = std::move(expected);
}

void RunProgress::expect(StageAddress at, StageExpectation expected) {
  std::lock_guard lock(mutex_);
  reporter_.expected(at, expected);
  StageExpectation& kept = result_.environments[at.environment].expected[at.stage];
  expected.makes.clear();
  expected.reasons = std::move(kept.reasons);
  kept = std::move(expected);
}

void RunProgress::fail(bool BuildResult::*kind) {
  has_failed_ = true;
  std::lock_guard lock(mutex_);
  result_.*kind = true;
}

void RunProgress::run_out_of_time() {
  std::lock_guard lock(mutex_);
  result_.out_of_time = true;
}

}  // namespace stagemake
