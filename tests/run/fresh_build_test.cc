// `--fresh`: over several runs, until everything is built; and what does not belong to a fresh build.
#include "run/build/fresh_build.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/images/remote_snapshots.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kOther = "debian-trixie-minimal";

class FreshBuild : public testing::Test {
 protected:
  FreshBuild() {
    bench_.engine.add_to_registry("debian:trixie", {.files = {{"/etc/os", {.content = "trixie"}}}});
    bench_.build();
    bench_.build({kOther});
    bench_.settings.fresh = true;
  }
  // Ends a run when make reaches this package.
  BuildBench::Run cut_at(const std::string& package,
                         const std::vector<std::string>& environments = {"debian-bookworm-minimal"}) {
    std::stop_source stop;
    bench_.options.stop = stop.get_token();
    bench_.before = [&](const FakeContainer&, const std::string& made, std::stop_token) {
      if (made == package) stop.request_stop();
    };
    BuildBench::Run run = bench_.build(environments);
    bench_.options.stop = {};
    bench_.before = nullptr;
    return run;
  }
  std::string fresh_of(const std::string& stage, const std::string& tag = "1",
                       const std::string& environment = "debian-bookworm-minimal") {
    return bench_.snapshot(image_of_stage(stage, tag, environment)).fresh_build;
  }

  BuildBench bench_{kSmallDistribution};
};

constexpr const char* kContinuing = "continuing the fresh build that was begun";
const std::vector<std::string> kEverything = {"system packages",
                                              "bootstrap",
                                              "configure",
                                              "make base-toolchain: tool",
                                              "make all-sage-local: zlib app",
                                              "make build: pyapp"};

TEST_F(FreshBuild, TheSameCommandGoesOnUntilAllIsBuiltAndThenBeginsAnew) {
  BuildBench::Run run = cut_at("app");
  EXPECT_THAT(run.states,
              ElementsAre("built", "built", "built", "built", "interrupted", "skipped", "not asked for"));
  EXPECT_THAT(run.notes, Contains(HasSubstr("; the same command continues from here")));
  std::string name = fresh_of("with-targets-pre", "1-failed");
  EXPECT_NE(name, "");
  run = cut_at("pyapp");
  EXPECT_THAT(run.notes, Contains(HasSubstr(kContinuing)));
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "reused", "reused", "built", "interrupted", "not asked for"));
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build:"));
  run = bench_.build();
  EXPECT_THAT(run.scripts, ElementsAre("make build: pyapp"));
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(fresh_of("with-targets"), name);
  EXPECT_TRUE(bench_.snapshot(image_of_stage("with-targets")).clean);
  run = bench_.build();
  EXPECT_THAT(run.scripts, testing::ElementsAreArray(kEverything)) << "the next one";
  EXPECT_THAT(run.notes, Not(Contains(HasSubstr(kContinuing))));
  EXPECT_NE(fresh_of("with-targets"), name);
}

TEST_F(FreshBuild, AFailedPackageIsTriedAgain) {
  bench_.failing = {"app"};
  EXPECT_FALSE(bench_.build().result.all_well());
  bench_.failing = {};
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(FreshBuild, OneThatStartsOverLeavesAnUnfinishedOneAlone) {
  cut_at("app");
  std::string name = fresh_of("with-targets-pre", "1-failed");
  bench_.start_over = true;
  BuildBench::Run run = cut_at("pyapp");
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
  EXPECT_THAT(
      run.notes,
      Contains(HasSubstr("; the same command with --fresh instead of --start-over continues from here")));
  bench_.start_over = false;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make build: pyapp")) << "the newest one is continued";
  EXPECT_GT(fresh_build_began(fresh_of("with-targets")), fresh_build_began(name));
}

TEST_F(FreshBuild, OtherSourcesAreAnotherOne) {
  cut_at("app");
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kEverything));
}

TEST_F(FreshBuild, AnotherTargetIsAnotherOne) {
  bench_.targets = {"configured"};
  bench_.build();
  bench_.targets = {"with-targets"};
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kEverything));
}

TEST_F(FreshBuild, SeveralEnvironmentsAreOneAndNoneIsBuiltTwice) {
  bench_.options.at_once = 1;
  unsigned seen = 0;
  std::stop_source stop;
  bench_.options.stop = stop.get_token();
  bench_.before = [&](const FakeContainer&, const std::string& made, std::stop_token) {
    if (made == "pyapp" && ++seen == 2) stop.request_stop();
  };
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", kOther});
  bench_.options.stop = {};
  bench_.before = nullptr;
  unsigned ended = 0;
  for (const EnvironmentStatus& one : run.result.environments)
    ended += one.stages[5].state == StageState::Built ? 1 : 0;
  EXPECT_EQ(ended, 1u);
  run = bench_.build({"debian-bookworm-minimal", kOther});
  EXPECT_THAT(run.scripts, ElementsAre("make build: pyapp"));
  EXPECT_TRUE(run.result.all_well());
}

TEST_F(FreshBuild, AFinishedOneIsNotContinuedWhereItsLastImageIsRemoved) {
  bench_.build();
  bench_.engine.remove_image(image_of_stage("with-targets"));
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kEverything));
}

TEST_F(FreshBuild, OneOfAMachineWhoseClockIsAheadIsFollowedByANewerOne) {
  cut_at("app");
  for (const char* stage : {"with-system-packages", "bootstrapped", "configured", "with-base-toolchain"}) {
    FakeImage image = bench_.engine.image(image_of_stage(stage));
    std::string& name = image.labels["org.stagemake.fresh"];
    name = "4000000000" + name.substr(name.find('-'));
    bench_.engine.add_image(image_of_stage(stage), image);
  }
  bench_.start_over = true;
  cut_at("pyapp");
  bench_.start_over = false;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make build: pyapp"));
}

TEST_F(FreshBuild, ABuildThatIsNotFreshContinuesItToo) {
  cut_at("app");
  std::string name = fresh_of("with-targets-pre", "1-failed");
  bench_.engine.remove_image(image_of_stage("with-targets-pre"));
  bench_.engine.remove_image(image_of_stage("with-targets"));
  bench_.settings.fresh = false;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
  EXPECT_EQ(fresh_of("with-targets"), name);
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.build();
  EXPECT_EQ(fresh_of("with-targets"), "") << "went on in an older image";
}

class Rebuild : public FreshBuild {
 protected:
  Rebuild() {
    bench_.settings.fresh = false;
    bench_.settings.rebuild = {"with-base-toolchain"};
  }
  // As a later command without --rebuild.
  BuildBench::Run plain() {
    bench_.settings.rebuild.clear();
    return bench_.build();
  }
};

const std::vector<std::string> kFromToolchain(kEverything.begin() + 3, kEverything.end());

TEST_F(Rebuild, ThatStageAndThoseAfterItAreBuiltAgainAndStay) {
  std::string before = bench_.engine.find_image(image_of_stage("with-targets"))->id;
  std::string configured = bench_.engine.find_image(image_of_stage("configured"))->id;
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts, testing::ElementsAreArray(kFromToolchain));
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "reused", "built", "built", "built", "not asked for"));
  std::string after = bench_.engine.find_image(image_of_stage("with-targets"))->id;
  EXPECT_NE(after, before);
  EXPECT_EQ(bench_.engine.find_image(image_of_stage("configured"))->id, configured);
  EXPECT_TRUE(bench_.snapshot(image_of_stage("with-targets")).clean);
  EXPECT_THAT(plain().scripts, IsEmpty()) << "there is nothing to do";
  EXPECT_EQ(bench_.engine.find_image(image_of_stage("with-targets"))->id, after);
}

TEST_F(Rebuild, TheSameCommandContinuesUntilAllIsBuiltAndThenBeginsAnother) {
  BuildBench::Run run = cut_at("app");
  EXPECT_THAT(run.notes, Contains(HasSubstr("; the same command continues from here")));
  run = bench_.build();
  EXPECT_THAT(run.notes, Contains(HasSubstr("continuing the rebuild that was begun")));
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kFromToolchain)) << "another one";
}

TEST_F(Rebuild, OneThatStartsOverLeavesAnUnfinishedOneAlone) {
  cut_at("app");
  bench_.start_over = true;
  BuildBench::Run run = cut_at("pyapp");
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
  EXPECT_THAT(run.notes, Contains(HasSubstr("; the same command without --start-over continues from here")));
}

TEST_F(Rebuild, AnEarlierTargetOfTheSameCommandKeepsItsImage) {
  bench_.targets = {"configured", "with-targets"};
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kFromToolchain));
  fs::remove_all(bench_.state.fresh_builds());  // as on another machine
  EXPECT_THAT(bench_.build().scripts, testing::ElementsAreArray(kFromToolchain)) << "it was finished";
}

TEST_F(Rebuild, SeveralEnvironments) {
  bench_.options.at_once = 1;
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", kOther});
  EXPECT_EQ(run.scripts.size(), 2 * kFromToolchain.size());
  EXPECT_TRUE(run.result.all_well());
}

TEST_F(Rebuild, AStageThatTheBuildDoesNotReachIsAnError) {
  bench_.settings.rebuild = {"with-targets-optional"};
  try {
    bench_.build();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "--rebuild: with-targets-optional is no stage of this build, which ends at with-targets; add --to "
        "with-targets-optional");
  }
}

TEST(FreshBuildName, SaysWhenAndWhat) {
  std::string name = fresh_build_name(1'700'000'000, "a");
  EXPECT_EQ(fresh_build_began(name), 1'700'000'000);
  EXPECT_EQ(fresh_build_wants(name), fresh_build_wants(fresh_build_name(5, "a")));
  EXPECT_NE(fresh_build_wants(name), fresh_build_wants(fresh_build_name(5, "b")));
  for (const char* bad :
       {"", "-", "17", "17-", "17-0123456789abcdeX", "17-0123456789abcde", "x-0123456789abcdef",
        "-0123456789abcdef", "9999999999999-0123456789abcdef", "17-../../../../0000"})
    EXPECT_EQ(fresh_build_began(bad), std::nullopt) << bad;
}

TEST(FreshBuildName, IsALabelAndOneThatIsNoneIsPassedOver) {
  Snapshot snapshot{.distribution = "D", .environment = "e", .stage = "s", .lineage = {{"s", "k", {}}}};
  snapshot.fresh_build = fresh_build_name(17, "a");
  EXPECT_EQ(from_labels(to_labels(snapshot)).value().fresh_build, snapshot.fresh_build);
  snapshot.fresh_build = "../17";
  EXPECT_EQ(from_labels(to_labels(snapshot)).value().fresh_build, "");
}

// Another machine continues a fresh build from the registry's images.
TEST(FreshBuildInARegistry, TakesTheNamesOfOtherImagesOfTheSameKey) {
  Snapshot there{.environment = "e", .stage = "s", .complete = true, .lineage = {{"s", "k", {}}}};
  Snapshot ours = there;
  ours.created = 5;
  EXPECT_NE(worth_keeping(there, ours), "");
  ours.fresh_build = fresh_build_name(17, "a");
  EXPECT_EQ(worth_keeping(there, ours), "");
  there.fresh_build = ours.fresh_build;
  EXPECT_NE(worth_keeping(there, ours), "");
  ours.fresh_build = "";
  EXPECT_NE(worth_keeping(there, ours), "") << "what a fresh build needs stays";
}

}  // namespace
}  // namespace stagemake
