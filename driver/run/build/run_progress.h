// What a run has come to so far: the state of every stage, and the one place where it changes.
//
// Thread rule: all calls from any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "report/events/isolated_reporter.h"
#include "run/build/build.h"

namespace stagemake {

class RunProgress {
 public:
  // `reporter` must outlive it. A reporter that throws does not end the run.
  RunProgress(const std::vector<EnvironmentBuild>& builds, Reporter& reporter);

  IsolatedReporter& reporter() { return reporter_; }
  void note(const std::string& text) { reporter_.note(text); }
  // Shown once, after everything else has ended.
  void note_at_end(std::string text);
  void show_notes_at_end();

  void begin();
  void end(const RunSeconds& seconds);

  StageStatus status(StageAddress at) const;
  void change(StageAddress at, StageStatus status);
  // The last resort: no report, no memory needed.
  void lose(StageAddress at) noexcept;

  // What is expected of a stage, before the run begins.
  void set_expected(StageAddress at, StageExpectation expected);
  // A better expectation; its reasons stay.
  void expect(StageAddress at, StageExpectation expected);

  // Records that the run fails, and what kind of failure it is.
  void fail(bool BuildResult::*kind);
  bool has_failed() const { return has_failed_; }
  // Work was left undone because of the deadline.
  void run_out_of_time();

  // For the end of the run, when no thread changes it any more.
  BuildResult& result() { return result_; }

 private:
  IsolatedReporter reporter_;
  mutable std::mutex mutex_;  // guards result_ and at_end_
  BuildResult result_;
  std::vector<std::string> at_end_;
  std::atomic<bool> has_failed_{false};
};

}  // namespace stagemake
