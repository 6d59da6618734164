// Pausing what runs in a container to commit an image, and resuming it.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "base/text/text.h"
#include "engine/conformance.h"

namespace stagemake::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Counts in a file, many times a second, and starts and ends programs all the time. The file is replaced
// atomically: a pause may come at any moment, and a file that is being written is empty for a moment.
constexpr const char* kCounts =
    "i=0; while [ ! -e /enough ]; do i=$((i + 1)); echo $i > /new; mv /new /count; "
    "if [ $i = 1 ]; then echo ready; fi; sleep 0.01; done; echo over";

// Runs a script in a separate thread.
class RunAside {
 public:
  RunAside(ContainerEngine& engine, const std::string& container, const std::string& script)
      : thread_([this, &engine, container, script](const std::stop_token& stop) {
          try {
            outcome_ = engine.run(container, script,
                                  [this](std::string_view piece) {
                                    std::lock_guard lock(mutex_);
                                    output_ += piece;
                                  },
                                  {.stop = stop, .grace = kShortGrace});
          } catch (const EngineError& error) {
            error_ = error.what();
          }
        }) {}
  void wait_until_ready() {
    while (output().find("ready") == std::string::npos) std::this_thread::sleep_for(10ms);
  }
  std::string output() {
    std::lock_guard lock(mutex_);
    return output_;
  }
  RunOutcome end() {
    thread_.request_stop();
    return wait();
  }
  RunOutcome wait() {
    if (thread_.joinable()) thread_.join();
    EXPECT_EQ(error_, "");
    return outcome_;
  }

 private:
  std::mutex mutex_;
  std::string output_, error_;
  RunOutcome outcome_;
  std::jthread thread_;
};

TEST_P(Conformance, NothingIsPausedWhereNothingRuns) {
  EXPECT_FALSE(engine().pause("not-there"));
  engine().resume("not-there");
  std::string container = create();
  EXPECT_FALSE(engine().pause(container));
  engine().resume(container);
  EXPECT_EQ(run(container, "exit 3").outcome.exit_code, 3);
}

TEST_P(Conformance, APausedContainerStopsAndResumes) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes";
  std::string container = create();
  RunAside aside(engine(), container, kCounts);
  aside.wait_until_ready();
  std::this_thread::sleep_for(100ms);
  ASSERT_TRUE(engine().pause(container));
  std::string first = content_in(container, "/count");
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(content_in(container, "/count"), first);
  std::string name = unique("checkpoint") + ":1";
  std::string id = engine().commit(container, {.names = {name}, .labels = {{"is", "half"}}});
  EXPECT_EQ(content_in(container, "/count"), first);
  engine().resume(container);
  auto give_up = std::chrono::steady_clock::now() + 10s;
  while (content_in(container, "/count") == first && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(20ms);
  EXPECT_NE(content_in(container, "/count"), first);
  EXPECT_EQ(content(name, "/count"), first);
  EXPECT_EQ(engine().find_image(name)->labels.at("is"), "half");
  // The run ends as if it had not been paused.
  ASSERT_TRUE(engine().pause(container));
  engine().resume(container);
  engine().copy_in(container, write_tar([](TarWriter& tar) { tar.add_content("enough", "", 0644, 0); }));
  RunOutcome outcome = aside.wait();
  EXPECT_TRUE(outcome.ok()) << outcome.exit_code;
  EXPECT_THAT(aside.output(), HasSubstr("over"));
  // The container does not have the labels of the image.
  std::string last = commit(container);
  EXPECT_FALSE(engine().find_image(last)->labels.contains("is"));
  EXPECT_EQ(engine().find_image(last)->layers, engine().find_image(name)->layers);
  EXPECT_EQ(engine().find_image(name)->id, id);
}

TEST_P(Conformance, AnotherDriverResumesAPausedContainer) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes";
  std::string container = create();
  RunAside aside(engine(), container, kCounts);
  aside.wait_until_ready();
  ASSERT_TRUE(engine().pause(container));
  std::string first = content_in(container, "/count");
  std::unique_ptr<ContainerEngine> other = bench_->second_engine();
  other->resume(container);
  auto give_up = std::chrono::steady_clock::now() + 10s;
  while (content_in(container, "/count") == first && std::chrono::steady_clock::now() < give_up)
    std::this_thread::sleep_for(20ms);
  EXPECT_NE(content_in(container, "/count"), first);
  aside.end();
}

TEST_P(Conformance, APausedContainerCanBeStoppedAndRemoved) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes";
  for (bool remove : {false, true}) {
    std::string container = create();
    RunAside aside(engine(), container, kCounts);
    aside.wait_until_ready();
    ASSERT_TRUE(engine().pause(container));
    std::unique_ptr<ContainerEngine> other = bench_->second_engine();
    if (remove)
      other->remove_container(container);
    else
      other->stop_container(container, kShortGrace);
    EXPECT_TRUE(other->processes(container).empty());
    if (remove) continue;  // it is unspecified how a run ends if its container was removed
    aside.wait();
    EXPECT_EQ(run(container, "exit 3").outcome.exit_code, 3);
  }
}

TEST_P(Conformance, AStopRequestDuringThePauseIsHeardAfterIt) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes";
  std::string container = create();
  RunAside aside(engine(), container, "echo ready; sleep 1000; echo slept; exit 7");
  aside.wait_until_ready();
  ASSERT_TRUE(engine().pause(container));
  std::jthread resume([&] {
    std::this_thread::sleep_for(100ms);
    engine().resume(container);
  });
  RunOutcome outcome = aside.end();
  EXPECT_TRUE(outcome.stopped);
}

TEST_P(Conformance, ItsClockIsThatOfTheFilesInside) {
  if (!bench_->runs_processes()) GTEST_SKIP() << "the fake runs no processes";
  std::string container = create();
  double before = std::floor(engine().now());
  run(container, "date > /now");
  double after = engine().now();
  std::vector<TarEntry> entries = read_tar(*engine().copy_out(container, "/now"));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_LE(before, static_cast<double>(entries[0].time));
  EXPECT_GE(after + 1, static_cast<double>(entries[0].time));
}

}  // namespace
}  // namespace stagemake::test
