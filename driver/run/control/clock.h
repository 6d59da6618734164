// Time as a run sees it: it only moves forward, whatever happens to the machine's clock. File times use
// another clock, see ContainerEngine::now(). Tests of whole runs use a clock that they move themselves.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

namespace stagemake {

class Clock {
 public:
  // A call scheduled for a time. The destructor cancels it, or waits while it runs.
  class Alarm {
   public:
    virtual ~Alarm() = default;
  };

  virtual ~Clock() = default;
  // Seconds since the epoch, with fractions.
  virtual double now() const = 0;
  // Returns true after this many seconds, or false at once if a stop is requested.
  virtual bool sleep(double seconds, const std::stop_token& stop = {}) = 0;
  // Calls `what` once, from a thread of the clock; at once if `when` has passed. `what` must not throw. Any
  // `when` is valid: a time beyond every run, such as infinity, never comes.
  virtual std::unique_ptr<Alarm> at(double when, std::function<void()> what) = 0;
};

// The machine's clock.
Clock& system_clock();

}  // namespace stagemake
