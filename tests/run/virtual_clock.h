// Time for simulations: it passes only when a thread that has work says how long the work takes.
//
// There are two parallel lanes, as in a run: builds and pushes. Time advances to the next event in either
// lane, and only when both wait or have nothing to do; so a schedule is the same each time, however the
// machine's threads are scheduled. The first thread that calls begin_push() is the push lane; all others are
// the build lane, of which only one at a time may be working.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "run/control/clock.h"

namespace stagemake {

class VirtualClock : public Clock {
 public:
  double now() const override;
  bool sleep(double seconds, const std::stop_token& stop) override {
    pass(seconds, stop);
    return !stop.stop_requested();
  }
  // Rings in the build lane while that waits, and in the push lane if there is no other.
  std::unique_ptr<Alarm> at(double when, std::function<void()> what) override;

  // Lets time pass; less if a stop is requested meanwhile.
  void pass(double seconds, const std::stop_token& stop = {});

  // --- The work of the push lane.
  void await_push(const std::string& name);
  void begin_push(const std::string& name);
  void end_push(const std::string& what);

  void begin_build();
  void end_build();
  // Nothing waits any more, and time stands still: the driver is dead.
  void release();

 private:
  class Entry;
  using Alarms = std::multimap<double, Entry*>;

  double next_of_build() const;
  bool pass_in_build(std::unique_lock<std::mutex>& lock, double until);
  bool pass_in_push(std::unique_lock<std::mutex>& lock, double until);
  void ring_first(std::unique_lock<std::mutex>& lock, std::optional<double>& wakes);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  double now_ = 1'700'000'000;
  Alarms alarms_;
  std::optional<double> build_wakes_, push_wakes_;
  std::set<std::string> awaited_;  // pushes that the queue was given
  bool sends_ = false;
  bool builds_ = false;
  bool released_ = false;
};

}  // namespace stagemake
