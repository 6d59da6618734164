#include "run/control/stop_escalation.h"

#include <algorithm>

namespace stagemake {
namespace {

// The part of a stage's time, at its end, in which running packages may finish; and its limit in seconds.
constexpr double kDrainPart = 0.05, kMostDrain = 600;
constexpr double kDeadlineGrace = 15, kSignalGrace = 5;  // seconds from TERM to KILL
constexpr double kMostSavingPart = 0.5;

}  // namespace

StageTimes stage_times(const RunTime& time, double saving) {
  double whole = std::max(0.0, time.deadline - time.began);
  double grace = std::min(kDeadlineGrace, 0.1 * whole);
  double saved = std::min(saving, kMostSavingPart * whole);
  double end = time.deadline - saved - grace;
  double drain = std::clamp(kDrainPart * (end - time.began), 0.0, kMostDrain);
  return {.close = end - drain, .end = end, .grace = grace};
}

StopEscalation::StopEscalation(Clock& clock, std::stop_token stop, std::stop_token kill,
                               std::optional<StageTimes> times)
    : clock_(clock),
      times_(times),
      on_kill_(std::move(kill), [this] { kill_source_.request_stop(); }),
      on_stop_(std::move(stop), [this] { this->stop(StopReason::Signal); }) {
  if (times_) alarm_ = clock_.at(times_->end, [this] { this->stop(StopReason::Deadline); });
}

StopRequest StopEscalation::request() const {
  double grace = times_ ? times_->grace : kSignalGrace;
  return {.stop = source_.get_token(),
          .grace = std::chrono::milliseconds(static_cast<long>(grace * 1000)),
          .kill = kill_source_.get_token()};
}

std::optional<GuardLimits::Times> StopEscalation::guard_times() const {
  if (!times_) return std::nullopt;
  double now = clock_.now();
  return GuardLimits::Times{std::max(0.0, times_->close - now), std::max(0.0, times_->end - now)};
}

void StopEscalation::stop(StopReason reason) {
  StopReason none = StopReason::None;
  reason_.compare_exchange_strong(none, reason);
  // After a signal, a person waits: shorter than for a planned deadline.
  if (reason == StopReason::Signal && times_) {
    try {
      std::lock_guard lock(mutex_);
      kill_alarm_ = clock_.at(clock_.now() + kSignalGrace, [this] { kill_source_.request_stop(); });
    } catch (...) {  // no thread for an alarm: the longer grace applies
    }
  }
  source_.request_stop();
}

}  // namespace stagemake
