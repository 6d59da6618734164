#include "run/virtual_clock.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace stagemake {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
thread_local bool pushes = false;  // whether this thread is the push lane

}  // namespace

class VirtualClock::Entry : public Clock::Alarm {
 public:
  Entry(VirtualClock& clock, double when, std::function<void()> what)
      : clock_(clock), what_(std::move(what)) {
    std::lock_guard lock(clock_.mutex_);
    clock_.alarms_.emplace(when, this);
  }
  // Alarms ring in the lane that removes them: none rings now.
  ~Entry() override {
    std::lock_guard lock(clock_.mutex_);
    std::erase_if(clock_.alarms_, [this](const auto& alarm) { return alarm.second == this; });
  }
  const std::function<void()>& what() const { return what_; }

 private:
  VirtualClock& clock_;
  const std::function<void()> what_;
};

double VirtualClock::now() const {
  std::lock_guard lock(mutex_);
  return now_;
}

std::unique_ptr<Clock::Alarm> VirtualClock::at(double when, std::function<void()> what) {
  return std::make_unique<Entry>(*this, when, std::move(what));
}

// When the build lane continues; never if it does nothing, long ago if it is working.
double VirtualClock::next_of_build() const {
  if (!builds_) return kNever;
  if (!build_wakes_) return -kNever;
  return std::min(*build_wakes_, alarms_.empty() ? kNever : alarms_.begin()->first);
}

// Each returns whether it did something; if not, the caller has to wait.
bool VirtualClock::pass_in_build(std::unique_lock<std::mutex>& lock, double until) {
  double alarm = alarms_.empty() ? kNever : alarms_.begin()->first;
  double push = push_wakes_ ? *push_wakes_ : sends_ || !awaited_.empty() ? -kNever : kNever;
  double next = std::min(until, alarm);
  if (next > push) return false;
  now_ = std::max(now_, next);
  if (alarm <= until) ring_first(lock, build_wakes_);
  return true;
}

bool VirtualClock::pass_in_push(std::unique_lock<std::mutex>& lock, double until) {
  double alarm = builds_ || alarms_.empty() ? kNever : alarms_.begin()->first;
  double next = std::min(until, alarm);
  if (next >= next_of_build()) return false;
  now_ = std::max(now_, next);
  if (alarm <= until) ring_first(lock, push_wakes_);
  return true;
}

// `wakes`: of the lane that rings; it is working meanwhile.
void VirtualClock::ring_first(std::unique_lock<std::mutex>& lock, std::optional<double>& wakes) {
  std::function<void()> ring = alarms_.begin()->second->what();
  alarms_.erase(alarms_.begin());
  std::optional<double> kept = std::exchange(wakes, std::nullopt);
  lock.unlock();
  ring();
  lock.lock();
  wakes = kept;
  changed_.notify_all();
}

void VirtualClock::pass(double seconds, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::optional<double>& wakes = pushes ? push_wakes_ : build_wakes_;
  double until = now_ + seconds;
  wakes = until;
  changed_.notify_all();
  while (!released_ && !stop.stop_requested() && now_ < until)
    if (!(pushes ? pass_in_push(lock, until) : pass_in_build(lock, until))) changed_.wait(lock);
  if (released_) now_ = std::max(now_, until);  // the remaining threads wait for nothing
  wakes.reset();
  changed_.notify_all();
}

void VirtualClock::await_push(const std::string& name) {
  std::lock_guard lock(mutex_);
  awaited_.insert(name);
}

void VirtualClock::begin_push(const std::string& name) {
  std::lock_guard lock(mutex_);
  pushes = true;
  awaited_.erase(name);
  sends_ = true;
}

void VirtualClock::end_push(const std::string& what) {
  std::lock_guard lock(mutex_);
  sends_ = false;
  std::erase_if(awaited_, [&](const std::string& name) { return what.find(name) != std::string::npos; });
  changed_.notify_all();
}

void VirtualClock::begin_build() {
  std::lock_guard lock(mutex_);
  builds_ = true;
  released_ = sends_ = false;
  awaited_.clear();
  build_wakes_.reset();
  push_wakes_.reset();
}

void VirtualClock::end_build() {
  std::lock_guard lock(mutex_);
  builds_ = false;
  changed_.notify_all();
}

void VirtualClock::release() {
  std::lock_guard lock(mutex_);
  released_ = true;
  changed_.notify_all();
}

}  // namespace stagemake
