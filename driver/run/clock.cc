#include "run/clock.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace stagemake {
namespace {

using std::chrono::system_clock;

class WaitingThread : public Clock::Alarm {
 public:
  WaitingThread(double when, std::function<void()> what)
      : thread_([when, what = std::move(what)](std::stop_token stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          auto time = system_clock::time_point(
              std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(when)));
          never.wait_until(lock, stop, time, [] { return false; });
          if (stop.stop_requested()) return;
          try {
            what();
          } catch (...) {  // it must not, and it does not end the process
          }
        }) {}

 private:
  std::jthread thread_;
};

class SystemClock : public Clock {
 public:
  double now() const override {
    return std::chrono::duration<double>(system_clock::now().time_since_epoch()).count();
  }
  void sleep(double seconds) override { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }
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
