#include "run/control/stall_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/fake/fake_engine.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

constexpr double kPatience = 0.1;

class Stalls : public testing::Test {
 protected:
  Stalls() {
    engine_.add_image("base:1", {});
    engine_.create({.name = "c", .image = "base:1"});
    engine_.on_processes = [this](const std::string&) {
      return std::vector<ContainerProcess>{{.pid = 7, .cpu_seconds = cpu_ += busy_, .command = "sleep 300"}};
    };
  }
  // What the watch finds within this many seconds of a script that prints nothing; empty if nothing.
  std::string found_in(double seconds) {
    std::atomic<bool> stalled = false;
    std::string findings;
    StallWatch watch(engine_, system_clock(), "c", kPatience, [&](const std::string& what) {
      findings = what;
      stalled = true;
    });
    double until = system_clock().now() + seconds;
    while (!stalled && system_clock().now() < until) system_clock().sleep(0.01);
    return stalled ? findings : "";
  }
  // The same, while a script runs in the container.
  std::string found_in_run(double seconds) {
    std::stop_source stop;
    engine_.on_run = [&](FakeContainer&, const std::string&, const OutputSink&,
                         const std::stop_token& ended) {
      while (!ended.stop_requested()) system_clock().sleep(0.01);
      return RunOutcome{.exit_code = 1};
    };
    std::jthread run([&] { engine_.run("c", "make", {}, {.stop = stop.get_token()}); });
    std::string found = found_in(seconds);
    stop.request_stop();
    return found;
  }

  FakeEngine engine_;
  double cpu_ = 0;
  double busy_ = 0;  // seconds of processor time between two measurements
};

TEST_F(Stalls, SilentIdleStagesAreFound) {
  EXPECT_THAT(found_in_run(5), HasSubstr("sleep 300"));
}

TEST_F(Stalls, ComputingStagesAreNotStalled) {
  busy_ = 0.1;
  EXPECT_EQ(found_in_run(0.3), "");
}

TEST_F(Stalls, BeforeAnythingRunsNoSilenceCounts) {
  EXPECT_EQ(found_in(0.3), "");
}

}  // namespace
}  // namespace stagemake
