#include "run/control/signals.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace stagemake {
namespace {

using namespace std::chrono_literals;

// Can be opened once, and waited for.
class Gate {
 public:
  void open() {
    if (!opened_.exchange(true)) promise_.set_value();
  }
  bool is_open(std::chrono::milliseconds patience = 60s) const {
    return future_.wait_for(patience) == std::future_status::ready;
  }

 private:
  std::atomic<bool> opened_ = false;
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

TEST(Signals, TheStopIsRequestedFirstAndReportedSecond) {
  SignalWatch watch;
  std::atomic<bool> was_requested = false;
  Gate reported;
  SignalWatch::Hearing hearing(watch, {.report = [&](int number, unsigned count) {
                                 EXPECT_EQ(number, SIGTERM);
                                 EXPECT_EQ(count, 1u);
                                 was_requested = watch.token().stop_requested();
                                 reported.open();
                               }});
  EXPECT_EQ(watch.first(), 0);
  ::raise(SIGTERM);
  ASSERT_TRUE(reported.is_open());
  EXPECT_TRUE(was_requested);
  EXPECT_FALSE(watch.kill_token().stop_requested());
  EXPECT_EQ(watch.first(), SIGTERM);
}

// For example, output that nobody reads.
TEST(Signals, AReportThatWaitsDelaysNeitherTheSecondNorTheThird) {
  SignalWatch watch;
  Gate stopped, killed, ended, reports, goes_on;
  std::stop_callback on_stop(watch.token(), [&] { stopped.open(); });
  std::stop_callback on_kill(watch.kill_token(), [&] { killed.open(); });
  SignalWatch::Hearing hearing(watch, {.report =
                                           [&](int, unsigned count) {
                                             if (count > 1) return;
                                             reports.open();
                                             goes_on.is_open();
                                           },
                                       .end =
                                           [&](int number) {
                                             EXPECT_EQ(number, SIGHUP);
                                             ended.open();
                                           }});
  ::raise(SIGINT);
  ASSERT_TRUE(stopped.is_open());
  ASSERT_TRUE(reports.is_open());
  ::raise(SIGTERM);
  ASSERT_TRUE(killed.is_open());
  ::raise(SIGHUP);
  EXPECT_TRUE(ended.is_open());
  EXPECT_EQ(watch.first(), SIGINT);
  goes_on.open();
}

// A request that waits breaks the rules, and must not block the last way out.
TEST(Signals, ARequestThatWaitsDoesNotDelayTheThird) {
  SignalWatch watch;
  Gate ended, waits, goes_on;
  std::stop_callback on_stop(watch.token(), [&] {
    waits.open();
    goes_on.is_open();
  });
  SignalWatch::Hearing hearing(watch, {.end = [&](int) { ended.open(); }});
  // Exactly three: one more could arrive after the hearing, and end the test.
  ::raise(SIGINT);
  ASSERT_TRUE(waits.is_open());
  ::raise(SIGTERM);
  ::raise(SIGHUP);
  EXPECT_TRUE(ended.is_open());
  goes_on.open();
}

TEST(Signals, OneThatCameBeforeAnybodyHearsIsReported) {
  SignalWatch watch;
  watch.request(SIGINT);
  Gate reported;
  SignalWatch::Hearing hearing(watch, {.report = [&](int, unsigned) { reported.open(); }});
  EXPECT_TRUE(reported.is_open());
}

// nohup, and background jobs of a script.
TEST(Signals, IgnoredSignalsStayIgnored) {
  for (int number : {SIGHUP, SIGINT, SIGTERM}) {
    ::signal(number, SIG_IGN);
    {
      SignalWatch watch;
      ::raise(number);  // it would end the test, or request a stop
      struct sigaction now {};
      ::sigaction(number, nullptr, &now);
      EXPECT_EQ(now.sa_handler, SIG_IGN);
      EXPECT_EQ(watch.first(), 0);
      watch.request(SIGINT);  // the key q still stops it
      EXPECT_EQ(watch.first(), SIGINT);
    }
    struct sigaction after {};
    ::sigaction(number, nullptr, &after);
    EXPECT_EQ(after.sa_handler, SIG_IGN);
    ::signal(number, SIG_DFL);
  }
}

}  // namespace
}  // namespace stagemake
