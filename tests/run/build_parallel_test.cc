// Environments side by side, and stages that branch.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ParallelBuild : public testing::Test {
 protected:
  BuildBench bench_{kSmallDistribution};
};

// --- Side by side.

class SideBySide : public ParallelBuild {
 protected:
  SideBySide() {
    bench_.engine.add_image("debian:trixie", {});
    bench_.before = [this](const FakeContainer&, const std::string& package, std::stop_token) {
      if (package != "zlib") return;
      std::unique_lock lock(mutex_);
      most_ = std::max(most_, ++inside_);
      here_.notify_all();
      if (options().at_once > 1)
        here_.wait_for(lock, std::chrono::seconds(10), [this] { return most_ >= 2; });
      --inside_;
    };
  }
  const BuildOptions& options() const { return bench_.options; }

  std::mutex mutex_;
  std::condition_variable here_;
  unsigned inside_ = 0, most_ = 0;
};

TEST_F(SideBySide, TheEngineIsAskedOnceForContainersThatWereLeft) {
  std::vector<Environment> environments(3);
  environments[0].name = "debian-bookworm-minimal";
  environments[1].name = "debian-trixie-minimal";
  environments[2].name = "debian-sid-minimal";
  auto leave = [&](const std::string& name, const std::string& mark) {
    bench_.engine.create(
        {.name = name, .image = "debian:trixie", .labels = {{std::string(kStateLabel), mark}}});
  };
  leave(container_prefix("debian-trixie-minimal") + "configured-1",
        state_mark(bench_.state, "debian-trixie-minimal"));
  leave("by-hand", state_mark(bench_.state, "debian-sid-minimal"));
  leave(container_prefix("debian-bookworm-minimal") + "configured-1", "/another/state folder");
  EXPECT_THAT(environments_left_behind(bench_.engine, bench_.state, environments),
              ElementsAre("debian-trixie-minimal"));
  EXPECT_EQ(bench_.engine.calls()["list_containers"], 1u);
}

TEST_F(SideBySide, ABuildOfManyListsContainersOnce) {
  bench_.options.at_once = 2;
  EXPECT_EQ(bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"}).calls["list_containers"], 1u);
}

TEST_F(SideBySide, TwoEnvironmentsOverlap) {
  bench_.options.at_once = 2;
  EXPECT_TRUE(bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"}).result.all_well());
  EXPECT_EQ(most_, 2u);
}

TEST_F(SideBySide, UnlessOneStageAtOnceIsAllowed) {
  bench_.options.at_once = 1;
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(run.scripts.size(), 12u);
  EXPECT_EQ(most_, 1u);
}

TEST_F(SideBySide, OneMayFailAndTheOtherCompletes) {
  bench_.before = [](const FakeContainer& container, const std::string& package, std::stop_token) {
    if (package == "zlib" && container.name.find("trixie") != std::string::npos)
      throw EngineError("it broke");
  };
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"});
  EXPECT_FALSE(run.result.all_well());
  EXPECT_THAT(run.states, testing::Contains("built").Times(6));
  EXPECT_EQ(run.result.environments[1].stages[4].state, StageState::Failed);
  EXPECT_EQ(run.result.environments[1].stages[5].state, StageState::Skipped);
}

// --- Memory. Each running container uses 500 MB.

class Memory : public ParallelBuild {
 protected:
  Memory() {
    bench_.engine.add_image("debian:trixie", {});
    bench_.engine.on_memory = [this](const std::string&) {
      std::lock_guard lock(mutex_);
      ++looks_;
      looked_.notify_all();
      return std::uint64_t{500'000'000};
    };
    bench_.before = [this](const FakeContainer&, const std::string&, std::stop_token) {
      std::unique_lock lock(mutex_);
      most_ = std::max(most_, ++inside_);
      // Until each container was measured; with two running, that takes three measurements. If two are to run
      // at once, the first waits for the second, however long a busy machine takes to start it.
      looked_.wait_for(lock, std::chrono::seconds(60),
                       [this, until = looks_ + 3] { return looks_ >= until && most_ >= expected_; });
      --inside_;
    };
    bench_.options.watch_every = std::chrono::milliseconds(1);
    bench_.options.at_once = 2;
  }
  BuildBench::Run build_both() { return bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"}); }

  std::mutex mutex_;
  std::condition_variable looked_;
  unsigned inside_ = 0, most_ = 0, looks_ = 0, expected_ = 2;
};

TEST_F(Memory, IsLearnedAndTold) {
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(most_, 2u);
  for (const StageStatus& stage : run.result.environments[0].stages)
    EXPECT_EQ(stage.memory, stage.state == StageState::Built ? 500'000'000u : 0u);
  for (const JournalStage& stage : bench_.journal.read().stages) EXPECT_EQ(stage.memory, 500'000'000u);
}

TEST_F(Memory, BoundsWhatRunsAtOnce) {
  build_both();
  bench_.settings.fresh = bench_.learns = true;
  bench_.options.memory = 1'000'000'000;  // twice 500 MB fit, but not with the safety margin
  most_ = 0;
  expected_ = 1;
  BuildBench::Run run = build_both();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(most_, 1u);
  EXPECT_THAT(run.notes,
              testing::Contains("stages wait for memory: running stages need about 600.0 MB of the 1.0 GB "
                                "that stages may use (--memory)"));
  bench_.options.memory = 1'200'000'000;
  expected_ = 2;
  EXPECT_TRUE(build_both().result.all_well());
  EXPECT_EQ(most_, 2u);
}

// --- Stages that branch, from the tree's own table.

class BranchingBuild : public ParallelBuild {
 protected:
  BranchingBuild() {
    bench_.tree.file("ci-docker.toml",
                     "[[stage]]\nname='system'\nrecipe='%{system_packages}'\n"
                     "[[stage]]\nname='common'\nadds=['build']\nrecipe='make $USE_MAKEFLAGS "
                     "tool'\nuses=['USE_MAKEFLAGS']\nmake_targets=['tool']\n"
                     "[[stage]]\nname='one'\nparent='common'\nadds=['src']\nrecipe='make $USE_MAKEFLAGS "
                     "app'\nuses=['USE_MAKEFLAGS']\nmake_targets=['app']\n"
                     "[[stage]]\nname='two'\nparent='common'\nrecipe='make $USE_MAKEFLAGS "
                     "extra'\nuses=['USE_MAKEFLAGS']\nmake_targets=['extra']\n");
    bench_.targets = {"one", "two"};
  }
};

TEST_F(BranchingBuild, BothBranchesRunFromOneImageAndAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable here;
  unsigned inside = 0;
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package != "zlib") return;  // the first package of each branch
    std::unique_lock lock(mutex);
    ++inside;
    here.notify_all();
    EXPECT_TRUE(here.wait_for(lock, std::chrono::seconds(10), [&] { return inside == 2; }));
  };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, UnorderedElementsAre("system packages", "make tool: tool", "make app: zlib app",
                                                "make extra: zlib extra"));
  EXPECT_EQ(run.calls.at("commit"), 4u);
  Snapshot one = bench_.snapshot(image_of_stage("one"));
  EXPECT_TRUE(one.packages.contains("app"));
  EXPECT_FALSE(one.packages.contains("extra"));
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
}

TEST_F(BranchingBuild, AFailedBranchLeavesTheOtherAlone) {
  bench_.failing = {"app"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states, ElementsAre("built", "built", "failed", "built"));
  bench_.failing.clear();
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make app: app"));
}

TEST_F(BranchingBuild, OnAnOlderWayTheCommonStageIsKeptForBoth) {
  bench_.build();
  bench_.tree.file("build/pkgs/tool/patches/new", "x");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.states, ElementsAre("reused", "built", "built", "built"));
  EXPECT_EQ(run.calls.at("create"), 3u) << "one for the common stage, one for each branch";
  EXPECT_EQ(run.calls.at("commit"), 3u);
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
}

TEST_F(BranchingBuild, ASecondBranchWhereTheCommonImageIsGone) {
  bench_.targets = {"one"};
  bench_.build();
  bench_.engine.remove_image(image_of_stage("common"));
  bench_.targets = {"two"};
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("uninstall app; other", "make tool:", "make extra: extra"))
      << "a clean build of this branch would not have the other's packages";
}

TEST_F(BranchingBuild, TwoStagesMayBeginAtTheBaseImage) {
  bench_.tree.file("ci-docker.toml",
                   "[[stage]]\nname='one'\nrecipe='%{system_packages}'\n"
                   "[[stage]]\nname='two'\nparent=''\nuses=['BOOTSTRAP']\nrecipe='$BOOTSTRAP'\n");
  for (int i = 0; i < 10; ++i) {
    bench_.settings.fresh = true;
    EXPECT_TRUE(bench_.build().result.all_well());
  }
}

}  // namespace
}  // namespace stagemake
