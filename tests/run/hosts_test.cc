// Builds on several machines: images move, and machines are lost.
#include "run/build/hosts.h"

#include <gmock/gmock.h>

#include <thread>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// A second engine, which can be switched off.
class TwoHosts : public testing::Test {
 protected:
  TwoHosts() {
    bench_.engine.add_image("debian:trixie", {});
    other_.on_run = bench_.engine.on_run;
    other_.on_verb = [this](const std::string& verb) {
      if (verb == "probe" && probes_left_ > 0 && --probes_left_ == 0) is_off_ = false;
      if (is_off_) throw EngineError("fake: nobody answers");
    };
    use({{.name = "a", .engine = bench_.engine}, {.name = "b", .engine = other_}});
    bench_.options.host_pause = 0.001;
    bench_.options.host_patience = 1e9;
  }
  void use(const std::vector<BuildHost>& hosts) {
    bench_.options.hosts.clear();
    for (const BuildHost& host : hosts) bench_.options.hosts.push_back(host);
  }
  BuildBench::Run build_both() { return bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"}); }
  // The host that built the last stage of an environment.
  static std::string host_of(const BuildBench::Run& run, std::size_t environment) {
    std::string host = "none";
    for (const StageStatus& stage : run.result.environments[environment].stages)
      if (stage.state == StageState::Built) host = stage.host;
    return host;
  }
  // Switches the other host off when it makes this package.
  void dies_at(const std::string& dying) {
    bench_.before = [this, dying](const FakeContainer& container, const std::string& package,
                                  std::stop_token) {
      if (package != dying || died_ || !is_there(container.name)) return;
      died_ = true;
      is_off_ = true;
      other_.crash();
    };
  }
  bool notes_say(const std::string& text) {
    std::lock_guard lock(bench_.reporter.mutex);
    for (const std::string& note : bench_.reporter.notes)
      if (note == text) return true;
    return false;
  }
  bool is_there(const std::string& container) {
    for (const std::string& name : other_.container_names())
      if (name == container) return true;
    return false;
  }

  BuildBench bench_{kSmallDistribution};
  FakeEngine other_{nullptr, "b"};
  std::atomic<bool> is_off_ = false, died_ = false;
  std::atomic<int> probes_left_ = 0;  // until it is on again
};

TEST_F(TwoHosts, EachBuildsAnEnvironment) {
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_NE(host_of(run, 0), host_of(run, 1));
  EXPECT_THAT(other_.container_names(), testing::IsEmpty());
}

TEST_F(TwoHosts, ABaseImageComesFromTheHostThatHasIt) {
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, Contains(HasSubstr("from host a to host b")));
  EXPECT_EQ(other_.calls()["pull"], 0u);
}

TEST_F(TwoHosts, TheSecondTimeNothingIsBuiltWhereverTheImagesAre) {
  build_both();
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, testing::IsEmpty());
}

TEST_F(TwoHosts, ALostHostsEnvironmentIsBuiltOnTheOther) {
  for (const char* package : {"tool", "zlib", "app"}) {
    is_off_ = died_ = false;
    dies_at(package);
    bench_.settings.fresh = true;
    bench_.start_over = true;
    BuildBench::Run run = build_both();
    EXPECT_TRUE(run.result.all_well()) << package;
    EXPECT_EQ(host_of(run, 0), "a") << package;
    EXPECT_EQ(host_of(run, 1), "a") << package;
    EXPECT_THAT(run.notes, Contains(HasSubstr("host b is lost: fake: nobody answers"))) << package;
    EXPECT_FALSE(run.result.engine_failed) << package;
  }
}

TEST_F(TwoHosts, AHostThatDoesNotAnswerFromTheStartIsDoneWithout) {
  is_off_ = true;
  use({{.name = "a", .engine = bench_.engine}, {.name = "b", .engine = other_, .problem = "it is off"}});
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, Contains("host b is not used until it works: it is off"));
  EXPECT_EQ(host_of(run, 0), "a");
  EXPECT_EQ(host_of(run, 1), "a");
}

// The only host that works dies, and is back after a few looks.
TEST_F(TwoHosts, AHostThatComesBackIsUsedAgainAndWhatItHoldsIsKept) {
  FakeEngine off;
  off.on_verb = [](const std::string&) { throw EngineError("fake: off"); };
  other_.add_image("debian:bookworm", {});
  other_.add_image("debian:trixie", {});
  use({{.name = "off", .engine = off, .problem = "it is off"}, {.name = "b", .engine = other_}});
  dies_at("app");
  probes_left_ = 3;
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(host_of(run, 0), "b");
  EXPECT_THAT(run.notes, Contains("host b works again"));
  EXPECT_THAT(run.notes, Contains(HasSubstr("an earlier run ended without saving its work")));
  EXPECT_TRUE(other_.container_names().empty());
}

TEST_F(TwoHosts, IfNoHostIsLeftTheRunFailsAndSaysWhy) {
  FakeEngine off;
  off.on_verb = [](const std::string&) { throw EngineError("fake: off"); };
  other_.add_image("debian:bookworm", {});
  use({{.name = "off", .engine = off, .problem = "it is off"}, {.name = "b", .engine = other_}});
  dies_at("zlib");
  bench_.options.host_patience = 1;
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  std::string why;
  for (const StageStatus& stage : run.result.environments[0].stages) why += stage.detail + "\n";
  EXPECT_THAT(why, HasSubstr("no host is left for it: b: "));
}

// Its engine answers, but no image can be made there.
TEST_F(TwoHosts, AFullHostIsLeftToOthers) {
  other_.fail("commit", "no space left on device");
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(host_of(run, 0), "a");
  EXPECT_EQ(host_of(run, 1), "a");
  EXPECT_THAT(run.notes, Contains(HasSubstr("is not built on host b any more")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("no space left on device")));
}

TEST_F(TwoHosts, AnImageThatCannotBeSentIsBuiltOnceMore) {
  bench_.engine.fail("save_image", "the stream broke");
  other_.add_image("debian:bookworm", {});
  other_.add_image("debian:trixie", {});
  EXPECT_TRUE(build_both().result.all_well());
}

// All stages of a build that continues in an older image share a container, which cannot be moved. The other
// environment holds the only place here, and a host comes back.
TEST_F(TwoHosts, WorkInAContainerGetsAnImageBeforeItsEnvironmentMoves) {
  use({});
  build_both();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "9\n");
  is_off_ = true;
  use({{.name = "a", .engine = bench_.engine},
       {.name = "b", .engine = other_, .slots = 100, .problem = "it is off"}});
  std::mutex mutex;
  std::map<std::string, unsigned> seen;  // by environment
  bench_.before = [&](const FakeContainer& container, const std::string&, std::stop_token) {
    std::lock_guard lock(mutex);
    ++seen[container.labels.at(std::string(kEnvironmentLabel))];
    if (seen.size() < 2 || !is_off_) return;
    is_off_ = false;
    for (int i = 0; i < 10'000 && !notes_say("host b works again"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, Contains("host b works again"));
  EXPECT_EQ(std::set<std::string>({host_of(run, 0), host_of(run, 1)}).count("b"), 1u) << "nothing moved";
  EXPECT_THAT(bench_.engine.container_names(), testing::IsEmpty());
  EXPECT_THAT(other_.container_names(), testing::IsEmpty());
}

// A container that cannot be saved does not keep the host from being used.
TEST_F(TwoHosts, AHostIsUsedAgainAlthoughWhatItHoldsCannotBeSaved) {
  FakeEngine off;
  off.on_verb = [](const std::string&) { throw EngineError("fake: off"); };
  other_.add_image("debian:bookworm", {});
  use({{.name = "off", .engine = off, .problem = "it is off"}, {.name = "b", .engine = other_}});
  dies_at("app");
  probes_left_ = 3;
  other_.fail("list_containers", "it cannot list them", 1);
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, Contains(HasSubstr("host b: fake list_containers: it cannot list them")));
}

}  // namespace
}  // namespace stagemake
