// Time, as a run sees it: it only goes forward, whatever becomes of the machine's clock meanwhile. File times are
// of another clock, see ContainerEngine::now(). Tests of whole runs give it one that goes forward when they say so.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace stagemake {

class Clock {
 public:
  // What is to happen at a time. Destroying it takes that back, or waits while it happens.
  class Alarm {
   public:
    virtual ~Alarm() = default;
  };

  virtual ~Clock() = default;
  // Seconds since the epoch, with fractions.
  virtual double now() const = 0;
  // Returns true after so many seconds, false at once when a stop is requested.
  virtual bool sleep(double seconds, const std::stop_token& stop = {}) = 0;
  // Calls `what` once, from a thread of the clock; at once where `when` has passed. It must not throw. Any
  // `when` is good: what lies beyond every run, as infinity does, just does not come.
  virtual std::unique_ptr<Alarm> at(double when, std::function<void()> what) = 0;
};

// The machine's.
Clock& system_clock();

}  // namespace stagemake
