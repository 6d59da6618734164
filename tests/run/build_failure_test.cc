// What is kept when a stage, the engine or a person ends a build, and how the next build continues.
#include <gmock/gmock.h>

#include "base/files/file_tail.h"
#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::ThrowsMessage;

class BuildFailure : public testing::Test {
 protected:
  const StageStatus& stage(const BuildBench::Run& run, std::size_t at) {
    return run.result.environments[0].stages[at];
  }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(BuildFailure, ABuiltStageHasNoFailuresWhateverItsLogSays) {
  bench_.says = {{"zlib", "RuntimeError: tried, and did without\n"}};
  BuildBench::Run run = bench_.build();
  ASSERT_EQ(run.states[4], "built");
  EXPECT_THAT(stage(run, 4).findings, IsEmpty());
  // make's message about the same package if it really failed
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "9\n");
  bench_.failing = {"zlib"};
  run = bench_.build();
  ASSERT_EQ(run.states[4], "failed");
  ASSERT_THAT(stage(run, 4).findings, SizeIs(1));
  EXPECT_EQ(stage(run, 4).findings[0].message, "RuntimeError: tried, and did without");
}

TEST_F(BuildFailure, IgnoredErrorsOfAStageAreFoundAllTheSame) {
  bench_.tree.file("build/pkgs/lone/type", "standard\n");
  bench_.targets = {"with-targets-optional"};
  bench_.given["TARGETS_OPTIONAL"] = "lone";
  bench_.given["TARGETS_PRE"] = bench_.given["TARGETS"] = "zlib";
  bench_.says = {{"lone", "RuntimeError: x\n"}};
  bench_.failing = {"lone"};
  BuildBench::Run run = bench_.build();
  ASSERT_EQ(run.states[6], "built") << "its errors are ignored";
  ASSERT_THAT(stage(run, 6).findings, SizeIs(1));
  EXPECT_EQ(stage(run, 6).findings[0].message, "RuntimeError: x");
}

TEST_F(BuildFailure, AFailedStageIsKeptAndWhatHangsOnItSkipped) {
  bench_.tree.file("build/pkgs/lone/type", "standard\n");
  bench_.failing = {"zlib"};
  BuildBench::Run run = bench_.build();
  EXPECT_FALSE(run.result.all_well());
  EXPECT_FALSE(run.result.engine_failed);
  EXPECT_THAT(run.states,
              ElementsAre("built", "built", "built", "built", "failed", "skipped", "not asked for"));
  EXPECT_THAT(run.scripts.back(), HasSubstr("zlib! lone")) << "what is independent is made";
  EXPECT_THAT(stage(run, 4).detail, HasSubstr("exit status 2; the work so far is kept as " +
                                              image_of_stage("with-targets-pre", "1-failed")));
  EXPECT_EQ(stage(run, 4).image, image_of_stage("with-targets-pre", "1-failed"));
  EXPECT_THAT(stage(run, 5).detail, HasSubstr("with-targets-pre did not succeed"));
  EXPECT_FALSE(bench_.has_image(image_of_stage("with-targets-pre")));
  Snapshot left = bench_.snapshot(image_of_stage("with-targets-pre", "1-failed"));
  EXPECT_FALSE(left.complete);
  EXPECT_EQ(left.stage, "with-targets-pre");
  EXPECT_TRUE(left.packages.contains("lone"));
  EXPECT_FALSE(left.packages.contains("zlib"));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());

  bench_.failing.clear();
  run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: zlib app", "make build: pyapp"))
      << "only what was missing";
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
  EXPECT_TRUE(bench_.snapshot(image_of_stage("with-targets")).clean)
      << "the same key, one line from the base image";
}

TEST_F(BuildFailure, ThatGoesOnFailingKeepsGoingOn) {
  bench_.failing = {"app"};
  bench_.build();
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app!"));
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app!"));
}

TEST_F(BuildFailure, AMendedPackageGoesOnInTheFailedImage) {
  bench_.failing = {"app"};
  bench_.build();
  bench_.failing.clear();
  bench_.tree.file("build/pkgs/app/patches/mend.patch", "x\n");
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts, ElementsAre("bootstrap", "configure", "make base-toolchain:",
                                       "make all-sage-local: app", "make build: pyapp"));
  EXPECT_EQ(run.calls.at("create"), 1u);
}

TEST_F(BuildFailure, OnAnOlderWayAFailureKeepsWhatTheStagesBeforeItDid) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n")
      .file("build/pkgs/pyapp/package-version.txt", "3.1\n");
  bench_.failing = {"pyapp"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "built", "built", "built", "built", "failed", "not asked for"));
  EXPECT_EQ(run.calls.at("commit"), 1u);
  bench_.failing.clear();
  run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "reused", "reused", "reused", "built", "not asked for"));
  EXPECT_THAT(run.scripts, ElementsAre("make build: pyapp"));
}

TEST_F(BuildFailure, StalePackagesAreUninstalledOnce) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/patches/new.patch", "x\n");
  bench_.failing = {"app"};
  EXPECT_THAT(bench_.build().scripts, ElementsAre("uninstall zlib; other", "bootstrap", "configure",
                                                  "make base-toolchain:", "make all-sage-local: zlib app!"));
  bench_.failing.clear();
  EXPECT_THAT(bench_.build().scripts, ElementsAre("uninstall app; other", "make all-sage-local: app",
                                                  "uninstall pyapp; other", "make build: pyapp"));
}

TEST_F(BuildFailure, GoingOnInAnUnfinishedImageWritesNoFileAnew) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.failing = {"app"};
  bench_.build();
  bench_.failing.clear();
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts, ElementsAre("uninstall app; other", "make all-sage-local: app",
                                       "uninstall pyapp; other", "make build: pyapp"))
      << "they were built with the zlib that was";
  EXPECT_THAT(run.calls, Not(Contains(testing::Pair("copy_in", testing::_))))
      << "src was there: with-targets had brought it";
}

TEST_F(BuildFailure, ErrorsOfAStageThatIgnoresThemAreNone) {
  bench_.targets = {"with-targets-optional"};
  bench_.given = {{"TARGETS_OPTIONAL", "extra"}};
  bench_.failing = {"extra"};
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(run.states.back(), "built");
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
}

TEST_F(BuildFailure, WithoutKeepGoingNothingNewBegins) {
  bench_.engine.add_image("debian:trixie", {});
  bench_.options.keep_going = false;
  bench_.options.at_once = 1;
  bench_.failing = {"tool"};
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"});
  unsigned skipped = 0;
  for (const EnvironmentStatus& environment : run.result.environments)
    for (const StageStatus& one : environment.stages) skipped += one.state == StageState::Skipped ? 1 : 0;
  EXPECT_GE(skipped, 4u);
  std::size_t failures = 0;
  for (const std::string& script : run.scripts) failures += script.find("tool!") != std::string::npos ? 1 : 0;
  EXPECT_EQ(failures, 1u);
}

// For example, a container that cannot be saved.
TEST_F(BuildFailure, AProblemOfOneEnvironmentLeavesTheOthersAlone) {
  bench_.engine.add_image("debian:trixie", {});
  bench_.problems = {{"debian-bookworm-minimal", "container x cannot be saved"}};
  BuildBench::Run run = bench_.build({"debian-bookworm-minimal", "debian-trixie-minimal"});
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_EQ(run.result.environments[1].stages.back().state, StageState::NotWanted);
  std::size_t built = 0, failed = 0;
  for (const StageStatus& one : run.result.environments[1].stages)
    built += one.state == StageState::Built ? 1 : 0;
  for (const StageStatus& one : run.result.environments[0].stages) {
    EXPECT_NE(one.state, StageState::Built);
    failed += one.state == StageState::Failed && one.detail.find("container x") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(built, 4u);
  EXPECT_EQ(failed, 1u);
}

// --- Signals.

TEST_F(BuildFailure, AnInterruptedStageIsKeptAndGoesOn) {
  std::stop_source stop;
  bench_.options.stop = stop.get_token();
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "app") stop.request_stop();
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("built", "built", "built", "built", "interrupted", "skipped", "not asked for"));
  EXPECT_FALSE(run.result.all_well());
  EXPECT_THAT(stage(run, 4).detail, HasSubstr("the work so far is kept as"));
  EXPECT_TRUE(bench_.snapshot(image_of_stage("with-targets-pre", "1-failed")).packages.contains("zlib"));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
  bench_.options.stop = {};
  bench_.before = nullptr;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(BuildFailure, ARunThatEndsBetweenTwoStagesOfOneContainerKeepsTheFirst) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  std::stop_source stop;
  bench_.reporter.heard = [&](const std::string& change) {
    if (change == "debian-bookworm-minimal bootstrapped: built") stop.request_stop();
  };
  bench_.options.stop = stop.get_token();
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "built", "skipped", "skipped", "skipped", "skipped", "not asked for"));
  EXPECT_THAT(stage(run, 1).image, Not(IsEmpty()));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
  bench_.options.stop = {};
  bench_.reporter.heard = nullptr;
  run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "built", "built", "built", "built", "not asked for"));
  EXPECT_THAT(run.scripts, ElementsAre("configure", "make base-toolchain:", "make all-sage-local: zlib app",
                                       "uninstall pyapp; other", "make build: pyapp"));
}

TEST_F(BuildFailure, AStopBeforeTheFirstStageBeginsNothing) {
  std::stop_source stop;
  stop.request_stop();
  bench_.options.stop = stop.get_token();
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("skipped", "skipped", "skipped", "skipped", "skipped", "skipped", "not asked for"));
  EXPECT_THAT(run.calls, Not(Contains(testing::Pair("create", testing::_))));
}

// Another build holds all job slots.
class BuildWaits : public BuildFailure {
 protected:
  BuildWaits() { bench_.options.slots = &pool_; }
  // When `change` is reported, the slots are taken; at the next `running`, a stop is requested.
  void stop_while_waiting_after(const std::string& change) {
    bench_.options.stop = stop_.get_token();
    bench_.reporter.heard = [this, change](const std::string& now) {
      if (now == change && !is_taken_) is_taken_ = others_->begin({});
      if (is_taken_ && now.ends_with(": running")) stop_.request_stop();
    };
  }

  JobSlots pool_{1};
  TemporaryFolder folder_{fs::temp_directory_path()};
  std::unique_ptr<JobSlots::Share> others_ = pool_.share(folder_.path() / "others");
  std::stop_source stop_;
  bool is_taken_ = false;
};

TEST_F(BuildWaits, AStopBeforeTheFirstSlotKeepsNothingAndMovesNoName) {
  bench_.failing = {"app"};
  bench_.build();
  std::string failed = image_of_stage("with-targets-pre", "1-failed");
  std::string before = bench_.id_of(failed);
  stop_while_waiting_after("debian-bookworm-minimal with-base-toolchain: reused");
  is_taken_ = others_->begin({});
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "reused", "reused", "interrupted", "skipped", "not asked for"));
  EXPECT_THAT(stage(run, 4).detail, HasSubstr("still waiting to start"));
  EXPECT_THAT(stage(run, 4).image, IsEmpty());
  EXPECT_THAT(run.calls, Not(Contains(testing::Pair("commit", testing::_))));
  EXPECT_EQ(bench_.id_of(failed), before);
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

TEST_F(BuildWaits, AStopBeforeTheNextSlotKeepsWhatTheStagesBeforeDidInTheContainer) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  stop_while_waiting_after("debian-bookworm-minimal bootstrapped: built");
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states, ElementsAre("reused", "built", "interrupted", "skipped", "skipped", "skipped",
                                      "not asked for"));
  EXPECT_THAT(run.scripts, ElementsAre("bootstrap"));
  EXPECT_THAT(stage(run, 1).image, Not(IsEmpty()));
  EXPECT_FALSE(bench_.has_image(image_of_stage("configured", "1-failed")));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
  others_->end();
  bench_.options.stop = {};
  bench_.reporter.heard = nullptr;
  run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "built", "built", "built", "built", "not asked for"));
}

TEST_F(BuildFailure, APoorerImageDoesNotTakeTheNameOfARicherOne) {
  bench_.failing = {"app"};
  bench_.build();
  std::string failed = image_of_stage("with-targets-pre", "1-failed");
  std::string before = bench_.id_of(failed);
  bench_.settings.fresh = true;
  bench_.failing = {"zlib"};
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.states[4], "failed");
  EXPECT_EQ(bench_.id_of(failed), before);
  EXPECT_THAT(stage(run, 4).detail, HasSubstr("an image with more packages keeps the name"));
  EXPECT_TRUE(bench_.has_image(stage(run, 4).image)) << "it is there all the same";
  EXPECT_NE(bench_.id_of(stage(run, 4).image), before);
  bench_.settings.fresh = false;
  bench_.failing.clear();
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(BuildFailure, WhatIsAsRichTakesTheName) {
  bench_.failing = {"app"};
  bench_.build();
  std::string failed = image_of_stage("with-targets-pre", "1-failed");
  std::string before = bench_.id_of(failed);
  bench_.build();
  EXPECT_NE(bench_.id_of(failed), before);
}

TEST_F(BuildFailure, AContainerInWhichNothingHasBegunIsOnlyRemoved) {
  bool dead = false;
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "app") dead = true;
    if (dead) throw EngineError("the daemon went away");
  };
  bench_.engine.on_verb = [&](const std::string& verb) {
    if (dead && verb == "commit") throw EngineError("the daemon went away");
  };
  bench_.build();
  bench_.engine.on_verb = nullptr;
  std::vector<ContainerInfo> left = bench_.engine.list_containers("", "");
  ASSERT_THAT(left, SizeIs(1));
  std::string name = "stagemake-debian-bookworm-minimal-with-targets-pre-1-1-1";
  bench_.engine.create(
      {.name = name, .image = image_of_stage("with-base-toolchain"), .labels = left[0].labels});
  bench_.state.keep_running(name, running_text(name, left[0].labels.at(std::string(kTokenLabel)), {}));
  bench_.before = nullptr;
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.notes, Contains(HasSubstr("removed the container " + name)));
  EXPECT_THAT(run.notes, Contains(HasSubstr("in with-targets-pre; kept it as")));
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

TEST_F(BuildFailure, AStopWhileTheBaseImageIsPulledIsNoFailure) {
  std::stop_source stop;
  bench_.options.stop = stop.get_token();
  bench_.reporter.heard = [&](const std::string& change) {
    if (change.ends_with(": running")) stop.request_stop();
  };
  BuildBench::Run run = bench_.build({"debian-nowhere-minimal"});
  EXPECT_EQ(run.states[0], "interrupted");
  EXPECT_THAT(stage(run, 0).detail, HasSubstr("stopped while the base image debian:nowhere was pulled"));
  EXPECT_FALSE(run.result.input_failed);
}

// --- The engine.

TEST_F(BuildFailure, AnEngineThatMakesNoContainersFailsTheStage) {
  bench_.engine.fail("create", "no space left on device");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_THAT(run.states,
              ElementsAre("failed", "skipped", "skipped", "skipped", "skipped", "skipped", "not asked for"));
  EXPECT_THAT(stage(run, 0).detail, HasSubstr("no space left on device"));
  bench_.engine.mend("create");
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(BuildFailure, WorkThatCannotBeCommittedStaysAndIsTakenOver) {
  bench_.build();
  bench_.tree.file("build/pkgs/app/package-version.txt", "2.1\n");
  bench_.engine.fail("commit", "disk full");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_EQ(run.states[5], "failed");
  ASSERT_THAT(bench_.engine.container_names(), SizeIs(1));
  std::string container = bench_.engine.container_names()[0];
  EXPECT_THAT(stage(run, 5).detail, HasSubstr("disk full; the work so far stays in container " + container));
  EXPECT_THAT([&] { bench_.build(); }, ThrowsMessage<EngineError>(AllOf(
                                           HasSubstr("container " + container), HasSubstr("disk full"),
                                           HasSubstr("stagemake clean debian-bookworm-minimal --containers"),
                                           HasSubstr("--discard-unsaved"))))
      << "still, and it says what it means, and what to do";

  bench_.engine.mend("commit");
  run = bench_.build();
  EXPECT_THAT(
      run.notes,
      ElementsAre(HasSubstr("an earlier run ended without saving its work in with-targets; kept it as " +
                            image_of_stage("with-targets", "1-failed") + ", 4 packages")));
  EXPECT_THAT(run.scripts, ElementsAre("make build:")) << "nothing is done twice";
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

// A disk that stays full: the work can be found, copied elsewhere and given up.
TEST_F(BuildFailure, WorkThatCannotBeCommittedCanBeFoundAndGivenUp) {
  bench_.failing = {"app"};
  bench_.engine.fail("commit", "disk full");
  bench_.build();
  bench_.failing.clear();
  StageTable table = built_in_stages(TreeFeatures::of_sage98());
  table.distribution =
      from_labels(bench_.engine.container(bench_.engine.container_names().at(0)).labels).value().distribution;
  auto unsaved = [&](const std::set<std::string>& environments) {
    std::vector<std::string> found;
    for (const UnsavedWork& work : unsaved_work(bench_.engine, bench_.state, table, environments))
      found.push_back(work.environment + " " + work.stage + " " + work.container.name);
    return found;
  };
  std::string container = bench_.engine.container_names()[0];
  EXPECT_THAT(unsaved({}), ElementsAre("debian-bookworm-minimal with-system-packages " + container));
  EXPECT_THAT(unsaved({"debian-bookworm-minimal"}), SizeIs(1));
  EXPECT_THAT(unsaved({"other"}), IsEmpty());
  {
    std::optional<FileLock> lock =
        FileLock::try_take(bench_.state.environment_lock("debian-bookworm-minimal"));
    EXPECT_THAT(unsaved({}), IsEmpty()) << "its driver lives";
  }
  EXPECT_ANY_THROW(bench_.build());
  bench_.discard_unsaved = true;
  bench_.reporter.heard = [&](const std::string&) { bench_.engine.mend("commit"); };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes,
              Contains(AllOf(HasSubstr("discarded container " + container), HasSubstr("disk full"))));
  EXPECT_THAT(unsaved({}), IsEmpty());
}

TEST_F(BuildFailure, AFailureThatCannotBeCommittedStaysToo) {
  bench_.failing = {"app"};
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "app") bench_.engine.fail("commit", "disk full");
  };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_THAT(bench_.engine.container_names(), SizeIs(1));
  bench_.engine.mend("commit");
  bench_.failing.clear();
  bench_.before = nullptr;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(BuildFailure, AnEngineThatGoesAwayInTheMiddleLosesNothing) {
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package != "app") return;
    bench_.engine.fail("stop_container", "no daemon");
    throw EngineError("the daemon went away");
  };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_THAT(run.states,
              ElementsAre("built", "built", "built", "built", "failed", "skipped", "not asked for"));
  EXPECT_THAT(bench_.engine.container_names(), SizeIs(1));
  bench_.engine.mend("stop_container");
  bench_.before = nullptr;
  run = bench_.build();
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("in with-targets-pre; kept it as")));
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(BuildFailure, SourcesThatCannotBeBroughtFailTheStageAndLeaveNothing) {
  bench_.engine.fail("copy_in", "no space left on device");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_THAT(run.states,
              ElementsAre("built", "failed", "skipped", "skipped", "skipped", "skipped", "not asked for"));
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty()) << "nothing was done there";
  bench_.engine.mend("copy_in");
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(BuildFailure, ATagThatFailsOnReuseIsTheEnginesFailure) {
  bench_.build();
  bench_.tags = {"2"};
  bench_.engine.fail("tag", "refused");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.engine_failed);
  EXPECT_FALSE(run.result.all_well());
}

TEST_F(BuildFailure, ABaseImageThatIsNowhereIsBadInput) {
  BuildBench::Run run = bench_.build({"debian-nowhere-minimal"});
  EXPECT_FALSE(run.result.engine_failed);
  EXPECT_EQ(run.states[0], "failed");
  EXPECT_THAT(stage(run, 0).detail,
              AllOf(HasSubstr("the base image debian:nowhere is not on this machine and cannot be pulled"),
                    HasSubstr("\n--base-image IMAGE uses another one. `docker pull IMAGE` fetches one"),
                    HasSubstr("mmdebstrap"), HasSubstr("docker import base.tar debian:nowhere")));
}

// --- The tree and the images.

TEST_F(BuildFailure, AFileEditedWhileTheBuildRunsFailsItsStageAndKeepsWhatWasDone) {
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "app") bench_.tree.file("src/code.py", "edited meanwhile\n");
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("built", "built", "built", "built", "built", "failed", "not asked for"));
  EXPECT_THAT(stage(run, 5).detail, HasSubstr("src/code.py: changed while the build began; run again"));
  EXPECT_FALSE(run.result.engine_failed);
  bench_.before = nullptr;
  EXPECT_THAT(bench_.build().scripts, ElementsAre("make build: pyapp"));
}

TEST_F(BuildFailure, OnAnOlderWayTooNothingIsLostWhenTheTreeIsEdited) {
  bench_.targets = {"with-targets-pre"};
  bench_.build();
  bench_.targets = {"with-targets"};
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "app") bench_.tree.file("src/code.py", "edited meanwhile\n");
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "built", "built", "built", "built", "failed", "not asked for"));
  EXPECT_THAT(stage(run, 5).detail,
              HasSubstr("the work so far is kept as " + image_of_stage("with-targets", "1-failed")));
  bench_.before = nullptr;
  run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("make build: pyapp")) << "zlib and app are not made again";
}

TEST_F(BuildFailure, AnImageWhoseManifestIsNotTheOneItNamesIsNotTrusted) {
  bench_.build();
  std::string name = image_of_stage("with-targets");
  FakeImage damaged = bench_.engine.image(name);
  damaged.files[std::string(kManifestPath)].content = "rubbish";
  damaged.labels["org.stagemake.manifest"] = std::string(64, 'b');
  damaged.created += 100;
  bench_.engine.add_image(name, damaged);
  bench_.tree.file("src/code.py", "edited\n");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes,
              ElementsAre(HasSubstr(name + " is not used: its source manifest is not the one that its "
                                           "label names")));
  EXPECT_THAT(run.scripts, ElementsAre("make build:")) << "the image that had the name before does";
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

TEST_F(BuildFailure, TheManifestInTheImageServesWhereThisMachineHasNoCopy) {
  bench_.build();
  fs::remove_all(bench_.state_folder.path() / "manifests");
  bench_.tree.file("src/code.py", "edited\n");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("make build:"));
}

TEST_F(BuildFailure, AStampThatWasCutShortIsNotTrusted) {
  bench_.failing = {"app"};
  bench_.before = [&](const FakeContainer& container, const std::string& package, std::stop_token) {
    if (package == "app")
      const_cast<FakeContainer&>(container).files["/sage/local/var/lib/sage/installed/zlib-1.2"].content = "";
  };
  bench_.build();
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets-pre", "1-failed")).packages.at("zlib").fingerprint,
            "");
}

TEST_F(BuildFailure, AContainerThatDoesNotSayWhatItHoldsIsRemovedAloud) {
  std::string mark = state_mark(bench_.state, "debian-bookworm-minimal");
  std::string odd = container_prefix("debian-bookworm-minimal") + "odd";
  bench_.engine.create(
      {.name = odd, .image = "debian:bookworm", .labels = {{std::string(kStateLabel), mark}}});
  bench_.engine.create(
      {.name = "of-others", .image = "debian:bookworm", .labels = {{std::string(kStateLabel), "another"}}});
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("removed the container " + odd + " of an earlier run")));
  EXPECT_THAT(bench_.engine.container_names(), ElementsAre("of-others"));
}

TEST_F(BuildFailure, TheLogHasEveryByteAlsoOfALineThatDoesNotEnd) {
  std::string line = std::string(2u << 20, 'x') + "\u202e\xff\x1b[2J";
  bench_.says = {{"zlib", line + "\nzlib.c:7:1: error: unknown type name 'gz'\n" + line}};
  bench_.failing = {"zlib"};
  BuildBench::Run run = bench_.build();
  ASSERT_THAT(stage(run, 4).findings, SizeIs(1));
  EXPECT_THAT(stage(run, 4).findings[0].message, HasSubstr("unknown type name"));
  std::string log =
      read_file(bench_.state.log("debian-bookworm-minimal", "with-targets-pre"), 16u << 20).value_or("");
  EXPECT_NE(log.find(line + "\nzlib.c"), std::string::npos);
  EXPECT_NE(log.find("'gz'\n" + line), std::string::npos);
}

TEST_F(BuildFailure, OfALogThatIsVeryLongTheEndIsLookedThrough) {
  fs::path log = bench_.state.log("debian-bookworm-minimal", "with-targets-pre");
  bench_.failing = {"zlib"};
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package != "zlib") return;
    fs::resize_file(log, 300u << 20);  // sparse: a single line
    append_line(log, "\nconfigure: checking\nzlib.c:7:1: error: unknown type name 'gz'");
  };
  BuildBench::Run run = bench_.build();
  ASSERT_THAT(stage(run, 4).findings, SizeIs(1));
  const LogFinding& finding = stage(run, 4).findings[0];
  EXPECT_THAT(finding.message, HasSubstr("unknown type name"));
  EXPECT_THAT(run.notes, Contains(AllOf(HasSubstr("with-targets-pre.log is longer than"),
                                        HasSubstr("only its end, from line"))));
  FileTail whole = read_tail(log, 1000).value();
  EXPECT_EQ(finding.line, whole.skipped_lines + 2) << "counted from the beginning of the file";
}

}  // namespace
}  // namespace stagemake
