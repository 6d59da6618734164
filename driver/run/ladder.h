// The ladder down which a stage is stopped: no new packages, then TERM, then KILL; and when, before a
// deadline.
//
// One Ladder belongs to the run of one stage. Whatever wants it to end says so here: a signal, the deadline,
// a silence. What came first is the reason.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "engine/container_engine.h"
#include "run/clock.h"
#include "run/guard.h"

namespace stagemake {

enum class StopReason { None, Signal, Deadline, Stall };

// When a stage that begins now must be over, in seconds since the epoch.
struct StageTimes {
  double close = 0;  // from then on no package begins
  double end = 0;    // then it is asked to end
  double grace = 0;  // seconds that it gets for that
};

// What a whole run may take, in seconds since the epoch; what it waits for before it can begin counts.
struct RunTime {
  double began = 0;
  double deadline = 0;  // by then all must be saved
};

// Before the deadline lie, from behind: `saving` seconds for commit and push, the grace. Saving may take no
// more than half of the run's time, or nothing would be built at all.
StageTimes stage_times(const RunTime& time, double saving);

class Ladder {
 public:
  // `stop` and `kill`: those of the whole run. With `times`, the stage is asked to end at times->end.
  Ladder(Clock& clock, std::stop_token stop, std::stop_token kill, std::optional<StageTimes> times);

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
  std::mutex mutex_;  // of kill_alarm_
  std::unique_ptr<Clock::Alarm> alarm_;
  std::unique_ptr<Clock::Alarm> kill_alarm_;
  // Last: they may call at once.
  std::stop_callback<std::function<void()>> on_kill_;
  std::stop_callback<std::function<void()>> on_stop_;
};

}  // namespace stagemake
