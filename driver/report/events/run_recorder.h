// Records the current state of a run, for reporters that show all of it.
#pragma once

#include <functional>
#include <mutex>

#include "report/events/run_record.h"

namespace stagemake {

class RunRecorder : public Reporter {
 public:
  // Seconds since the epoch.
  using Now = std::function<double()>;
  explicit RunRecorder(Now now) : now_(std::move(now)) {}

  // The run does not change during the call of `look`.
  void with(const std::function<void(const RunRecord&, double now)>& look) const {
    std::lock_guard lock(mutex_);
    look(run_, now_());
  }
  RunRecord copy() const {
    std::lock_guard lock(mutex_);
    return run_;
  }
  void facts(const RunFacts& facts) {
    std::lock_guard lock(mutex_);
    run_.facts = facts;
  }

  void begins(const std::vector<EnvironmentStatus>& all) override {
    std::lock_guard lock(mutex_);
    run_.begin(now_(), all);
  }
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override {
    std::lock_guard lock(mutex_);
    run_.change(now_(), at, all[at.environment].stages[at.stage]);
  }
  void package(StageAddress at, const PackageStatus& package) override {
    std::lock_guard lock(mutex_);
    run_.package(now_(), at, package);
  }
  // Keeps only the last sample, because a run may take days.
  void sampled(const MachineSample& sample) override {
    std::lock_guard lock(mutex_);
    run_.samples.clear();
    run_.sample(now_(), sample);
  }
  void expects(const std::string&, double seconds) override {
    std::lock_guard lock(mutex_);
    run_.expect(seconds);
  }
  void note(const std::string& text) override {
    std::lock_guard lock(mutex_);
    run_.note(now_(), text);
  }
  void expected(StageAddress at, const StageExpectation& expectation) override {
    std::lock_guard lock(mutex_);
    run_.expect(at, expectation);
  }
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds& seconds) override {
    std::lock_guard lock(mutex_);
    run_.end(now_(), seconds.pushing);
  }
  void exits(int status) {
    std::lock_guard lock(mutex_);
    run_.exit_status = status;
  }

 private:
  const Now now_;
  mutable std::mutex mutex_;
  RunRecord run_;
};

}  // namespace stagemake
