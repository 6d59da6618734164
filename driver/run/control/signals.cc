#include "run/control/signals.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

namespace stagemake {
namespace {

bool is_ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
         now.sa_handler == SIG_IGN;
}

}  // namespace

struct SignalWatch::State {
  State() : signals(loop) {
    for (int number : {SIGINT, SIGTERM, SIGHUP})
      if (!is_ignored(number)) signals.add(number);
    wait();
    requester = std::jthread([this](const std::stop_token& over) { make_requests(over); });
    reporter = std::jthread([this](const std::stop_token& over) { report(over); });
    receiver = std::jthread([this] { loop.run(); });
  }
  ~State() { loop.stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void wait() {
    signals.async_wait([this](boost::system::error_code failed, int number) {
      if (failed) return;
      arrive(number);
      wait();
    });
  }

  void arrive(int number) {
    std::unique_lock lock(mutex);
    if (first == 0) first = number;
    latest = number;
    if (++count < 3) return changed.notify_all();
    std::function<void(int)> end = actions.end;
    lock.unlock();
    if (end) return end(number);
    ::_exit(128 + number);
  }

  void make_requests(const std::stop_token& over) {
    std::unique_lock lock(mutex);
    while (changed.wait(lock, over, [this] { return requested < count; })) {
      unsigned now = std::min(count, 2u);
      if (now == requested) return;  // both requests were made
      lock.unlock();
      stop.request_stop();
      if (now > 1) kill.request_stop();
      lock.lock();
      requested = now;
      changed.notify_all();
    }
  }

  void report(const std::stop_token& over) {
    std::unique_lock lock(mutex);
    while (changed.wait(lock, over, [this] { return reported < requested && actions.report; })) {
      auto tell = actions.report;
      int number = latest;
      unsigned which = ++reported;
      reporting = true;
      lock.unlock();
      tell(number, which);
      lock.lock();
      reporting = false;
      changed.notify_all();
    }
  }

  boost::asio::io_context loop;
  boost::asio::signal_set signals;
  std::mutex mutex;  // guards all below, except `first`, `stop` and `kill`
  std::condition_variable_any changed;
  Actions actions;
  std::atomic<int> first{0};
  int latest = 0;
  unsigned count = 0, requested = 0, reported = 0;
  bool reporting = false;
  std::stop_source stop;
  std::stop_source kill;
  std::jthread requester, reporter, receiver;  // last: they use all of the above
};

SignalWatch::SignalWatch() : state_(std::make_unique<State>()) {}
SignalWatch::~SignalWatch() = default;
std::stop_token SignalWatch::token() const {
  return state_->stop.get_token();
}
std::stop_token SignalWatch::kill_token() const {
  return state_->kill.get_token();
}
int SignalWatch::first() const {
  return state_->first;
}
void SignalWatch::request(int number) {
  state_->arrive(number);
}

SignalWatch::Hearing::Hearing(SignalWatch& watch, Actions actions) : watch_(watch) {
  std::lock_guard lock(watch.state_->mutex);
  watch.state_->actions = std::move(actions);
  watch.state_->changed.notify_all();
}

SignalWatch::Hearing::~Hearing() {
  State& state = *watch_.state_;
  std::unique_lock lock(state.mutex);
  state.actions = {};
  state.changed.wait(lock, [&] { return !state.reporting; });
}

}  // namespace stagemake
