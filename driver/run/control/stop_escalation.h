// How a stage is stopped: no new packages, then TERM, then KILL; and the times of these steps before a
// deadline.
//
// One StopEscalation belongs to the run of one stage. Every cause of a stop reports here: a signal, the
// deadline, a silence. The first one is the reason.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "engine/container_engine.h"
#include "run/container/guard.h"
#include "run/control/clock.h"

namespace stagemake {

enum class StopReason { None, Signal, Deadline, Stall };

// When a stage that starts now must be over, in seconds since the epoch.
struct StageTimes {
  double close = 0;  // no package starts after this
  double end = 0;    // the stage is asked to end
  double grace = 0;  // seconds that it gets to end
};

// The time of a whole run, in seconds since the epoch. Waiting before the start counts.
struct RunTime {
  double began = 0;
  double deadline = 0;  // everything must be saved by then
};

// Counted back from the deadline: `saving` seconds for commit and push, then the grace. Saving may take at
// most half of the run's time, or nothing would be built at all.
StageTimes stage_times(const RunTime& time, double saving);

class StopEscalation {
 public:
  // `stop` and `kill`: those of the whole run. With `times`, the stage is asked to end at times->end.
  StopEscalation(Clock& clock, std::stop_token stop, std::stop_token kill, std::optional<StageTimes> times);

  // For ContainerEngine::run.
  StopRequest request() const;
  // Seconds from now, for the guard.
  std::optional<GuardLimits::Times> guard_times() const;

  void stop(StopReason reason);
  StopReason reason() const { return reason_; }

 private:
  Clock& clock_;
  std::optional<StageTimes> times_;
  std::atomic<StopReason> reason_{StopReason::None};
  std::stop_source source_;
  std::stop_source kill_source_;
  std::mutex mutex_;  // guards kill_alarm_
  std::unique_ptr<Clock::Alarm> alarm_;
  std::unique_ptr<Clock::Alarm> kill_alarm_;
  // Last, because they may be called at once.
  std::stop_callback<std::function<void()>> on_kill_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace stagemake
