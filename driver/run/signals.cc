#include "run/signals.h"

#include <signal.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <thread>

namespace stagemake {

struct SignalWatch::State {
  explicit State(std::function<void(int, unsigned)> told_)
      : told(std::move(told_)), signals(loop, SIGINT, SIGTERM, SIGHUP) {
    wait();
    thread = std::jthread([this] { loop.run(); });
  }
  ~State() { loop.stop(); }

  void wait() {
    signals.async_wait([this](boost::system::error_code failed, int number) {
      if (failed) return;
      int none = 0;
      first.compare_exchange_strong(none, number);
      told(number, ++count);
      stop.request_stop();
      if (count > 1) kill.request_stop();
      wait();
    });
  }

  std::function<void(int, unsigned)> told;
  boost::asio::io_context loop;
  boost::asio::signal_set signals;
  std::atomic<int> first{0};
  unsigned count = 0;
  std::stop_source stop;
  std::stop_source kill;
  std::jthread thread;  // last: it uses all of the above
};

SignalWatch::SignalWatch(std::function<void(int, unsigned)> told)
    : state_(std::make_unique<State>(std::move(told))) {}
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

}  // namespace stagemake
