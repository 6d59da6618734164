#include "run/control/clock.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>

#include "base/process/sleep.h"

namespace stagemake {
namespace {

// Seconds since boot, including the time that the machine was suspended.
double seconds_since_boot() {
  struct timespec time {};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Starts at what the machine's clock said when it was first asked, and advances by itself from then: setting
// the clock during a run must move neither deadlines nor durations.
double run_time() {
  static const double kBegan =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count() -
      seconds_since_boot();
  return kBegan + seconds_since_boot();
}

constexpr double kLookAgain = 30;  // seconds; a wait does not notice that the machine was suspended

// The clocks count nanoseconds in 64 bits, which end in the year 2262: a later time must never come, instead
// of counting as passed.
constexpr double kForever = 100 * 365.25 * 86400;  // seconds; no process lives that long

std::chrono::duration<double> bounded(double seconds) {
  return std::chrono::duration<double>(seconds > 0 ? std::min(seconds, kForever) : 0);
}

class WaitingThread : public Clock::Alarm {
 public:
  WaitingThread(double when, std::function<void()> what)
      : thread_([when, what = std::move(what)](std::stop_token stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          for (double left = when - run_time(); left > 0 && !stop.stop_requested(); left = when - run_time())
            never.wait_for(lock, stop, std::chrono::duration<double>(std::min(left, kLookAgain)),
                           [] { return false; });
          if (stop.stop_requested()) return;
          try {
            what();
          } catch (...) {  // it must not throw, and does not end the process
          }
        }) {}

 private:
  std::jthread thread_;
};

class SystemClock : public Clock {
 public:
  double now() const override { return run_time(); }
  bool sleep(double seconds, const std::stop_token& stop) override {
    return sleep_for(std::chrono::duration_cast<std::chrono::nanoseconds>(bounded(seconds)), stop);
  }
  std::unique_ptr<Alarm> at(double when, std::function<void()> what) override {
    return std::make_unique<WaitingThread>(when, std::move(what));
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace stagemake
