// What the fake adds to the rules of all engines: failures on request, a registry, a clock.
#include "engine/fake/fake_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

namespace stagemake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FakeEngine, RunsWhatTheTestSays) {
  FakeEngine engine;
  engine.add_image("base:1", {.files = {{"/etc/os", {.content = "x"}}}, .labels = {{"a", "1"}}});
  engine.on_run = [](FakeContainer& container, const std::string& script, const OutputSink& sink,
                     std::stop_token) {
    container.files["/made"] = {.content = script};
    sink("said\n");
    return RunOutcome{.exit_code = 3};
  };
  engine.create({.name = "c", .image = "base:1"});
  std::string output;
  RunOutcome outcome = engine.run("c", "the script", [&](std::string_view piece) { output += piece; }, {});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(output, "said\n");
  engine.commit("c", {.names = {"next:1"}, .labels = {{"b", "2"}}});
  FakeImage next = engine.image("next:1");
  EXPECT_EQ(next.files["/made"].content, "the script");
  EXPECT_EQ(next.files["/etc/os"].content, "x");
  EXPECT_EQ(next.labels, (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(next.layers, 2u);
  EXPECT_THAT(engine.container_names(), ElementsAre("c"));
  EXPECT_FALSE(engine.container("c").running);
}

TEST(FakeEngine, FailsWhereToldAndCounts) {
  FakeEngine engine;
  engine.add_image("base:1", {});
  engine.fail("commit", "no space left", 2);
  engine.create({.name = "c", .image = "base:1"});
  for (int i = 0; i < 2; ++i) EXPECT_THROW(engine.commit("c", {}), EngineError);
  engine.commit("c", {});
  EXPECT_EQ(engine.calls()["commit"], 3u);
  engine.fail("find_image", "gone");
  EXPECT_THROW(engine.find_image("base:1"), EngineError);
  engine.mend("find_image");
  EXPECT_TRUE(engine.find_image("base:1"));
  for (const char* verb : {"probe", "run", "copy_in", "copy_out", "remove_container", "create", "list_images",
                           "list_containers", "tag", "remove_image"})
    engine.fail(verb, "gone");
  EXPECT_THROW(engine.probe(), EngineError);
  EXPECT_THROW(engine.run("c", "", {}, {}), EngineError);
  EXPECT_THROW(engine.remove_container("c"), EngineError);
  EXPECT_THROW(engine.list_images("a", ""), EngineError);
}

TEST(FakeEngine, PullsFromItsRegistryAndPushesToIt) {
  FakeEngine engine;
  EXPECT_EQ(engine.pull("r.example/a:1").why, "not found: r.example/a:1");
  engine.add_to_registry("r.example/a:1", {.labels = {{"k", "v"}}});
  EXPECT_TRUE(engine.pull("r.example/a:1").ok);
  EXPECT_EQ(engine.find_image("r.example/a:1")->labels["k"], "v");
  EXPECT_NE(engine.find_image("r.example/a:1")->digest, "");
  engine.fail("pull", "");
  EXPECT_EQ(engine.pull("r.example/a:1").why, "the registry does not answer");
  engine.tag("r.example/a:1", "r.example/b:1");
  EXPECT_TRUE(engine.push("r.example/b:1").ok);
  EXPECT_EQ(engine.in_registry("r.example/b:1").labels["k"], "v");
}

TEST(FakeEngine, ItsClockIsTheTests) {
  FakeEngine engine;
  engine.add_image("a:1", {});
  engine.add_image("b:1", {});
  EXPECT_LT(engine.find_image("a:1")->created, engine.find_image("b:1")->created);
  engine.clock = [] { return std::int64_t{77}; };
  engine.add_image("c:1", {});
  engine.add_image("d:1", {.created = 5});
  EXPECT_EQ(engine.find_image("c:1")->created, 77);
  EXPECT_EQ(engine.find_image("d:1")->created, 5);
}

TEST(FakeEngine, ACrashEndsRunsAndKeepsTheirFiles) {
  for (bool leave_running : {false, true}) {
    FakeEngine engine;
    engine.add_image("base:1", {});
    engine.create({.name = "c", .image = "base:1"});
    engine.on_run = [&](FakeContainer& container, const std::string&, const OutputSink&,
                        std::stop_token stop) {
      container.files["/made"] = {.content = "x"};
      engine.crash(leave_running);
      EXPECT_TRUE(stop.stop_requested());
      return RunOutcome{};
    };
    try {
      engine.run("c", "", {}, {});
      FAIL() << "no error";
    } catch (const EngineError& error) {
      EXPECT_STREQ(error.what(), "fake run: the engine was killed");
    }
    EXPECT_EQ(engine.list_containers("", "").at(0).running, leave_running);
    EXPECT_EQ(engine.processes("c").empty(), !leave_running);
    engine.stop_container("c", {}, {});
    EXPECT_FALSE(engine.list_containers("", "").at(0).running);
    engine.on_run = nullptr;
    EXPECT_TRUE(engine.run("c", "", {}, {}).ok()) << "it is back";
    engine.commit("c", {.names = {"saved:1"}});
    EXPECT_TRUE(engine.image("saved:1").files.contains("/made"));
  }
}

TEST(FakeEngine, ACrashIsHeardInOtherThreads) {
  FakeEngine engine;
  engine.add_image("base:1", {});
  engine.create({.name = "c", .image = "base:1"});
  std::atomic<bool> runs = false;
  engine.on_run = [&](FakeContainer&, const std::string&, const OutputSink&, std::stop_token stop) {
    runs = true;
    while (!stop.stop_requested()) std::this_thread::yield();
    return RunOutcome{};
  };
  bool thrown = false;
  std::jthread thread([&] {
    try {
      engine.run("c", "", {}, {});
    } catch (const EngineError&) {
      thrown = true;
    }
  });
  while (!runs) std::this_thread::yield();
  engine.crash();
  thread.join();
  EXPECT_TRUE(thrown);
}

TEST(FakeEngine, FilesAreSharedUntilWritten) {
  FakeFiles files{{"/a", {.content = "a"}}, {"/b", {.content = "b"}}};
  FakeFiles copy = files;
  EXPECT_EQ(&std::as_const(files).at("/a"), &std::as_const(copy).at("/a"));
  copy["/a"].content = "changed";
  EXPECT_EQ(files.at("/a").content, "a");
  EXPECT_EQ(copy.size(), 2u);
  EXPECT_NE(files, copy);
  FakeFiles third = files;
  EXPECT_EQ(erase_if(third, [](const auto& file) { return file.first == "/a"; }), 1u);
  EXPECT_TRUE(files.contains("/a"));
  EXPECT_TRUE(FakeFiles().empty());
  EXPECT_EQ(FakeFiles(), (FakeFiles{}));
}

TEST(FakeEngine, RemovingARunningContainerStopsItsRun) {
  FakeEngine engine;
  engine.add_image("base:1", {});
  std::atomic<bool> runs = false;
  engine.on_run = [&](FakeContainer&, const std::string&, const OutputSink&, std::stop_token stop) {
    runs = true;
    while (!stop.stop_requested()) std::this_thread::yield();
    return RunOutcome{.exit_code = 137};
  };
  engine.create({.name = "c", .image = "base:1"});
  RunOutcome outcome;
  std::jthread thread([&] { outcome = engine.run("c", "", {}, {}); });
  while (!runs) std::this_thread::yield();
  EXPECT_THROW(engine.run("c", "", {}, {}), EngineError) << "one at a time";
  engine.remove_container("c");
  thread.join();
  EXPECT_EQ(outcome.exit_code, 137);
  EXPECT_THAT(engine.container_names(), IsEmpty());
}

}  // namespace
}  // namespace stagemake
