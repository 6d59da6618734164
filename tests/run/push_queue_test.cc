#include "run/images/push_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "engine/fake/fake_engine.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A sleep takes no time, and is counted.
class ImpatientClock : public Clock {
 public:
  double now() const override { return now_; }
  bool sleep(double seconds, const std::stop_token& stop) override {
    if (stop.stop_requested()) return false;
    now_ = now_ + seconds;
    return true;
  }
  std::unique_ptr<Alarm> at(double when, std::function<void()> what) override {
    if (when <= now_) what();
    return nullptr;
  }

 private:
  std::atomic<double> now_{1000};
};

class Pushes : public testing::Test {
 protected:
  Pushes() { engine_.add_image("r.example/a:1", {}); }
  PushResults push(const PushOptions& options, const std::vector<std::string>& names = {"r.example/a:1"}) {
    PushQueue queue(engine_, clock_, journal_, reporter_, options);
    queue.add(names, 5'000'000);
    return queue.finish();
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  FakeEngine engine_;
  ImpatientClock clock_;
  Journal journal_{folder_.path() / "journal"};
  RecordingReporter reporter_;
};

TEST_F(Pushes, GoToTheRegistryAndIntoTheJournal) {
  EXPECT_THAT(push({}).pushed, ElementsAre("r.example/a:1"));
  EXPECT_THAT(reporter_.notes, ElementsAre("pushed r.example/a:1"));
  ASSERT_EQ(journal_.read().transfers.size(), 1u);
  EXPECT_EQ(journal_.read().transfers[0].host, "r.example");
  EXPECT_EQ(journal_.read().transfers[0].bytes, 5'000'000u);
}

TEST_F(Pushes, OptionalPushesDoNotFailTheRun) {
  engine_.registry().fail("denied");
  PushQueue queue(engine_, clock_, journal_, reporter_, {});
  queue.add({"r.example/a:1"}, 0, false);
  EXPECT_THAT(queue.finish().failed, IsEmpty());
  EXPECT_THAT(reporter_.notes, ElementsAre(HasSubstr("r.example/a:1 could not be pushed")));
}

TEST_F(Pushes, ForgottenImagesAreNotPushed) {
  engine_.add_image("r.example/b:1", {});
  std::atomic<bool> is_sending = false, may_go_on = false;
  engine_.registry().on_call = [&](const std::string&, const std::string& name) {
    if (name != "r.example/a:1") return;
    is_sending = true;
    while (!may_go_on) std::this_thread::yield();
  };
  PushQueue queue(engine_, clock_, journal_, reporter_, {});
  queue.add({"r.example/a:1", "r.example/b:1"}, 0);
  while (!is_sending) std::this_thread::yield();
  EXPECT_TRUE(queue.is_sending("r.example/a:1"));
  EXPECT_FALSE(queue.forget({"r.example/a:1"}));
  EXPECT_TRUE(queue.forget({"r.example/b:1"}));
  may_go_on = true;
  EXPECT_THAT(queue.finish().pushed, ElementsAre("r.example/a:1"));
}

TEST_F(Pushes, AreTriedAgainAfterAWhile) {
  engine_.registry().fail("500 Internal Server Error", 3);
  EXPECT_THAT(push({}).pushed, ElementsAre("r.example/a:1"));
  EXPECT_THAT(reporter_.notes, ElementsAre("pushed r.example/a:1 on attempt 4"));
  EXPECT_NEAR(clock_.now(), 1000 + 1 + 2 + 4, 0.5);
}

TEST_F(Pushes, AreGivenUpAtLast) {
  engine_.registry().fail("500 Internal Server Error");
  EXPECT_THAT(push({}).failed, ElementsAre("r.example/a:1"));
  EXPECT_EQ(engine_.calls()["push"], 5u);
  EXPECT_THAT(reporter_.notes, ElementsAre(HasSubstr("could not be pushed in 5 attempts: ")));
}

TEST_F(Pushes, ARefusalOnPrincipleIsNotAskedTwice) {
  engine_.registry().fail("denied: requested access to the resource is denied");
  EXPECT_THAT(push({}).failed, ElementsAre("r.example/a:1"));
  EXPECT_EQ(engine_.calls()["push"], 1u);
}

TEST_F(Pushes, APermanentAnswerIsNotAskedForTwice) {
  for (const char* words :
       {"error parsing HTTP 413 response body: invalid character '<'",
        "writing manifest: uploading manifest 1 to r.example/a: StatusCode: 400, ", "manifest invalid"}) {
    unsigned before = engine_.calls()["push"];
    engine_.registry().fail(words);
    EXPECT_THAT(push({}).failed, ElementsAre("r.example/a:1"));
    EXPECT_EQ(engine_.calls()["push"], before + 1) << words;
    EXPECT_THAT(reporter_.notes.back(), HasSubstr("could not be pushed: "));
  }
}

TEST_F(Pushes, DoNotReplaceRicherImages) {
  PushResults results =
      push({.keeps = [](const std::string& name, const std::stop_token&) { return "better than " + name; }});
  EXPECT_THAT(results.kept, ElementsAre("r.example/a:1"));
  EXPECT_EQ(engine_.calls()["push"], 0u);
}

TEST_F(Pushes, AreNotBegunAfterARequestToKill) {
  std::stop_source kill;
  kill.request_stop();
  PushResults results = push({.kill = kill.get_token()});
  EXPECT_THAT(results.failed, ElementsAre("r.example/a:1"));
  EXPECT_THAT(reporter_.notes, ElementsAre("r.example/a:1 could not be pushed: the run ended"));
}

TEST_F(Pushes, AreTriedOnceAfterARequestToStop) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(push({.stop = stop.get_token()}).pushed, ElementsAre("r.example/a:1"));
  engine_.registry().fail("500 Internal Server Error");
  EXPECT_THAT(push({.stop = stop.get_token()}).failed, ElementsAre("r.example/a:1"));
  EXPECT_EQ(engine_.calls()["push"], 2u);
}

TEST_F(Pushes, AreGivenUpWhenTheTimeIsOver) {
  EXPECT_THAT(push({.deadline = clock_.now() - 1}).failed, ElementsAre("r.example/a:1"));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THAT(push({.stop = stop.get_token(), .patience = 0}).failed, ElementsAre("r.example/a:1"));
  EXPECT_EQ(engine_.calls()["push"], 0u);
}

TEST_F(Pushes, AreNoFailureIfTheyCannotBeSigned) {
  auto gone = [](auto&&...) -> std::string { throw EngineError("it went away"); };
  auto image = [](const std::string&) -> std::string { return "id"; };
  PushResults results = push({.signed_image = image, .signs = gone});
  EXPECT_THAT(results.pushed, ElementsAre("r.example/a:1"));
  EXPECT_THAT(results.failed, IsEmpty());
  EXPECT_THAT(reporter_.notes, Contains(HasSubstr("was pushed but could not be signed: it went away")));
  results = push({.signed_image = gone, .signs = gone});
  EXPECT_THAT(results.pushed, ElementsAre("r.example/a:1"));
  EXPECT_THAT(results.failed, IsEmpty());
  EXPECT_THAT(reporter_.notes, Contains(HasSubstr("will not be signed: it went away")));
  bool is_asked = false;
  results = push(
      {.signed_image = [&](const std::string&) { return std::exchange(is_asked, true) ? "other" : "id"; },
       .signs = gone});
  EXPECT_THAT(reporter_.notes, Contains(HasSubstr("another image has taken its name in the meantime")));
}

TEST_F(Pushes, AMissingEngineFailsThatPush) {
  engine_.fail("push", "gone");
  PushResults results = push({}, {"r.example/a:1", "r.example/b:1"});
  EXPECT_EQ(results.failed.size(), 2u);
  EXPECT_THAT(results.pushed, IsEmpty());
}

}  // namespace
}  // namespace stagemake
