// Which image each stage starts from.
#include "snapshot/restore.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A decision in words: "reuse IMAGE", "build from IMAGE as KIND, N ready", "build" (in its parent's
// container), "skip"; with ", keep" if an image of it is kept.
std::string told(const StageDecision& decision) {
  if (decision.action == StageDecision::Action::NotWanted) return "skip";
  if (decision.action == StageDecision::Action::Reuse) return "reuse " + decision.image->image;
  std::string text = "build";
  if (decision.start) {
    const Candidate& start = *decision.start;
    const char* kinds[] = {"parent", "unfinished", "older"};
    text += start.snapshot == nullptr ? " from base"
                                      : fmt::format(" from {} as {}, {} ready", start.snapshot->image,
                                                    kinds[static_cast<int>(start.kind)], start.ready);
  }
  return text + (decision.commit ? ", keep" : "");
}

class Restore : public testing::Test {
 protected:
  Restore() { replan(); }

  // Reads the tree again.
  void replan(const std::map<std::string, std::string>& given = {},
              const std::string& name = "debian-bookworm-minimal") {
    now_.emplace(tree_.path(), EnvironmentRequest{.name = name, .given = given});
  }
  // An image of the tree's current state.
  Snapshot& have(std::string_view stage, const std::string& id, std::int64_t created = 1000) {
    return snapshots_.emplace_back(image_of(*now_, stage, id, created));
  }
  Snapshot& have_unfinished(std::string_view stage, const std::string& id, const std::set<std::string>& built,
                            std::int64_t created = 1000) {
    return snapshots_.emplace_back(unfinished_image_of(*now_, stage, id, built, created));
  }
  void have_all_stages() {
    std::int64_t created = 1000;
    for (const char* stage : {"with-system-packages", "bootstrapped", "configured", "with-base-toolchain",
                              "with-targets-pre", "with-targets"})
      have(stage, std::string("I-") + stage, created++);
  }
  const std::vector<StageDecision>& decide(const std::vector<std::string>& targets = {"with-targets"}) {
    RestoreOptions options = options_;
    for (const std::string& target : targets) options.targets.push_back(now_->at(target));
    decisions_ = stagemake::decide(now_->plan, now_->graphs, share(snapshots_), options);
    return decisions_;
  }
  std::vector<std::string> decided(const std::vector<std::string>& targets = {"with-targets"}) {
    std::vector<std::string> result;
    for (const StageDecision& decision : decide(targets)) result.push_back(told(decision));
    return result;
  }
  const StageDecision& decision(std::string_view stage) { return decisions_[now_->at(stage)]; }

  TreeText tree_{kSmallDistribution};
  std::optional<PlannedTree> now_;
  std::vector<Snapshot> snapshots_;
  RestoreOptions options_{.targets = {}, .base_digest = "sha256:base"};
  std::vector<StageDecision> decisions_;
};

constexpr const char* kAllFromBase[] = {"build from base, keep", "build, keep", "build, keep", "build, keep",
                                        "build, keep",           "build, keep", "skip"};

TEST_F(Restore, NothingIsThereSoAllIsBuiltFromTheBaseImageAndKept) {
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
  EXPECT_EQ(decision("with-targets").older, nullptr);
}

TEST_F(Restore, ExactImagesAreReused) {
  have_all_stages();
  EXPECT_THAT(decided(), ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped",
                                     "reuse I-configured", "reuse I-with-base-toolchain",
                                     "reuse I-with-targets-pre", "reuse I-with-targets", "skip"));
}

TEST_F(Restore, TheImageOfALaterStageStandsForTheStagesItHolds) {
  have("with-targets", "T");
  EXPECT_THAT(decided(),
              ElementsAre("reuse T", "reuse T", "reuse T", "reuse T", "reuse T", "reuse T", "skip"));
}

TEST_F(Restore, ARequestedStageGetsItsOwnImage) {
  have("with-targets", "T");
  EXPECT_THAT(decided({"with-targets-pre"}),
              ElementsAre("reuse T", "reuse T", "reuse T", "reuse T", "build from T as older, 3 ready, keep",
                          "skip", "skip"));
}

TEST_F(Restore, SeveralStagesMayBeAskedFor) {
  have_all_stages();
  EXPECT_THAT(decided({"configured", "with-targets-optional"}),
              ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped", "reuse I-configured",
                          "reuse I-with-base-toolchain", "reuse I-with-targets-pre", "reuse I-with-targets",
                          "build from I-with-targets as parent, 4 ready, keep"));
  EXPECT_THAT(decided({}), testing::Each("skip"));
}

TEST_F(Restore, AnEditedPackageContinuesFromTheMostCompleteImage) {
  have_all_stages();
  tree_.file("build/pkgs/app/spkg-install.in", "edited\n");
  replan();
  // Ready: tool and zlib. app is stale, and pyapp depends on it.
  EXPECT_THAT(decided(),
              ElementsAre("reuse I-with-system-packages", "build from I-with-targets as older, 2 ready",
                          "build", "build", "build", "build, keep", "skip"));
  EXPECT_THAT(decision("bootstrapped").start->stale, ElementsAre("app"));
  EXPECT_THAT(decision("bootstrapped").start->removed, IsEmpty());
  ASSERT_EQ(decision("bootstrapped").changes.size(), 1u);
  EXPECT_EQ(decision("bootstrapped").changes[0].input, "build");
  EXPECT_EQ(decision("configured").changes[0].input, kParentInput);
}

TEST_F(Restore, ANewVersionIsForMakeToSeeAndNotStale) {
  have_all_stages();
  tree_.file("build/pkgs/app/package-version.txt", "2.1\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 2 ready");
  EXPECT_THAT(decision("bootstrapped").start->stale, IsEmpty());
}

TEST_F(Restore, ARemovedPackageIsRemoved) {
  have_all_stages();
  tree_.remove("build/pkgs/pyapp");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 3 ready");
  EXPECT_THAT(decision("bootstrapped").start->removed, ElementsAre("pyapp"));
  EXPECT_THAT(decision("bootstrapped").start->stale, IsEmpty());
}

TEST_F(Restore, ANewPackageIsJustNotReady) {
  have_all_stages();
  tree_.file("build/pkgs/fresh/type", "standard\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 4 ready");
  EXPECT_THAT(decision("bootstrapped").start->stale, IsEmpty());
}

TEST_F(Restore, EditedSourcesLeaveTheStagesBeforeThemAlone) {
  have_all_stages();
  tree_.file("src/code.py", "edited\n");
  replan();
  EXPECT_THAT(decided(),
              ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped", "reuse I-configured",
                          "reuse I-with-base-toolchain", "reuse I-with-targets-pre",
                          "build from I-with-targets as older, 4 ready, keep", "skip"));
  EXPECT_EQ(decision("with-targets").older->image, "I-with-targets");
  ASSERT_EQ(decision("with-targets").changes.size(), 1u);
  EXPECT_EQ(decision("with-targets").changes[0].input, "src");
  ASSERT_EQ(decision("with-targets").candidates.size(), 2u);
  EXPECT_EQ(decision("with-targets").candidates[1].snapshot->image, "I-with-targets-pre");
}

TEST_F(Restore, OfEquallyReadyImagesTheParentIsTakenAndThenTheNewest) {
  have("configured", "C");
  have("with-base-toolchain", "old", 10);
  have("with-base-toolchain", "new", 20);
  have("with-base-toolchain", "middle", 15);
  replan({{"SAGE_CHECK", "no"}});
  EXPECT_EQ(told(decide()[3]), "build from new as older, 1 ready");
  for (Snapshot& snapshot : snapshots_) snapshot.packages.clear();
  EXPECT_EQ(told(decide()[3]), "build from C as parent, 0 ready, keep")
      << "the clean way, where the other spares nothing";
}

TEST_F(Restore, AnUnfinishedRunWithTheSameKeyContinues) {
  have_all_stages();
  snapshots_.resize(4);
  have_unfinished("with-targets-pre", "F", {"zlib"}, 50);
  EXPECT_THAT(decided(), ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped",
                                     "reuse I-configured", "reuse I-with-base-toolchain",
                                     "build from F as unfinished, 2 ready, keep", "build, keep", "skip"));
}

TEST_F(Restore, AnUnfinishedRunWithoutAPackageMoreIsTakenBeforeItsParent) {
  have_all_stages();
  snapshots_.resize(4);
  have_unfinished("with-targets-pre", "F", {}, 1);
  EXPECT_EQ(told(decide()[4]), "build from F as unfinished, 1 ready, keep")
      << "packages may be half built there";
}

TEST_F(Restore, AnUnfinishedImageIsNeverAFinishedStage) {
  have_unfinished("with-targets", "F", {"pyapp"});
  EXPECT_THAT(decided(), ElementsAre("reuse F", "reuse F", "reuse F", "reuse F", "reuse F",
                                     "build from F as unfinished, 4 ready, keep", "skip"));
}

TEST_F(Restore, AnUnfinishedFirstStageContinues) {
  have_unfinished("with-system-packages", "F", {});
  EXPECT_EQ(told(decide()[0]), "build from F as unfinished, 0 ready, keep");
}

TEST_F(Restore, AnUnfinishedRunOfOlderSourcesIsACandidateToo) {
  have("with-system-packages", "S");
  have_unfinished("with-targets-pre", "F", {"zlib"});
  tree_.file("bootstrap", "edited\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from F as older, 2 ready");
}

TEST_F(Restore, AnOlderImageIsConfiguredAgainAlsoWhereAnotherImageHoldsThatStage) {
  have_all_stages();
  tree_.file("bootstrap", "edited\n");
  replan();
  have("bootstrapped", "B", 2000), have("configured", "C", 2001);
  // There, make would continue with what was configured from the old sources.
  EXPECT_THAT(decided(),
              ElementsAre("reuse I-with-system-packages", "build from I-with-targets as older, 4 ready",
                          "build", "build", "build", "build, keep", "skip"));
  EXPECT_THAT(decided({"configured", "with-targets"}),
              ElementsAre("reuse I-with-system-packages", "reuse B", "reuse C",
                          "build from C as parent, 0 ready, keep", "build, keep", "build, keep", "skip"));
  std::vector<std::string> refused;
  for (const Candidate& candidate : decision("with-base-toolchain").candidates)
    if (!candidate.refused.empty()) refused.push_back(candidate.snapshot->image + ": " + candidate.refused);
  EXPECT_THAT(
      refused,
      testing::Contains(
          "I-with-targets: configured would have to run again in it, but its image is requested unchanged"));
}

TEST_F(Restore, DoingStagesAgainCountsAgainstAnImage) {
  have_all_stages();
  tree_.file("bootstrap", "edited\n");
  replan();
  have("bootstrapped", "B", 2000), have("configured", "C", 2001);
  options_.costs.package_seconds.assign(now_->read.packages.size(), 1);
  options_.costs.stage_seconds = {0, 3, 3, 0, 0, 0, 0};
  EXPECT_EQ(told(decide()[3]), "build from C as parent, 0 ready, keep") << "4 packages are faster built";
  options_.costs.stage_seconds = {0, 1, 2, 0, 0, 0, 0};
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 4 ready") << "3 seconds instead of 4";
}

TEST_F(Restore, AnImageConfiguredOtherwiseIsRefused) {
  have_all_stages();
  tree_.file("build/pkgs/app/spkg-install.in", "edited\n");
  replan({{"EXTRA_CONFIGURE_ARGS", "--enable-other"}});
  EXPECT_THAT(decided(), ElementsAre("reuse I-with-system-packages",
                                     "build from I-with-system-packages as parent, 0 ready, keep",
                                     "build, keep", "build, keep", "build, keep", "build, keep", "skip"));
  const std::vector<Candidate> candidates = decision("bootstrapped").candidates;
  ASSERT_EQ(candidates.size(), 6u);
  EXPECT_EQ(candidates[1].snapshot->image, "I-bootstrapped") << "what was not configured yet would do";
  EXPECT_EQ(candidates[1].refused, "");
  for (std::size_t i = 2; i < candidates.size(); ++i)
    EXPECT_EQ(candidates[i].refused, "EXTRA_CONFIGURE_ARGS of configured differs");
  replan({{"BOOTSTRAP", "./bootstrap -d"}});
  EXPECT_EQ(told(decide()[1]), "build from I-with-system-packages as parent, 0 ready, keep");
  EXPECT_EQ(decision("bootstrapped").candidates[1].refused, "BOOTSTRAP of bootstrapped differs");
}

TEST_F(Restore, MakeTargetsMayDiffer) {
  have_all_stages();
  replan({{"TARGETS", "zlib"}, {"SAGE_CHECK", "no"}});
  EXPECT_EQ(told(decide()[3]), "build from I-with-targets as older, 3 ready")
      << "pyapp is not wanted any more";
}

TEST_F(Restore, AnImageOfAnotherBaseImageIsRefused) {
  have_all_stages();
  options_.base_digest = "sha256:other";
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
  ASSERT_EQ(decision("with-system-packages").changes.size(), 1u);
  EXPECT_EQ(decision("with-system-packages").changes[0].input, "content of the base image");
  options_.base_digest = "";
  EXPECT_EQ(decided()[5], "reuse I-with-targets") << "a base image that is not at hand may be what it was";
  options_.base_digest = "sha256:other";
  for (Snapshot& snapshot : snapshots_) snapshot.base_digest = "";
  EXPECT_EQ(decided()[5], "reuse I-with-targets");
}

TEST_F(Restore, ABaseImageOfAnotherNameIsRefused) {
  have_all_stages();
  replan({{"BASE_IMAGE", "debian:other"}});
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
}

TEST_F(Restore, OtherSystemPackagesAreRefused) {
  have_all_stages();
  replan({{"ALL_EXTRA_SAGE_PACKAGES", "zlib"}});
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
}

TEST_F(Restore, ForeignImagesAreReusedByKeyButNotContinued) {
  have_all_stages();
  for (Snapshot& snapshot : snapshots_) snapshot.environment = "debian-other-minimal";
  EXPECT_EQ(decided()[5], "reuse I-with-targets");
  tree_.file("build/pkgs/app/spkg-install.in", "edited\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-system-packages as parent, 0 ready, keep");
  EXPECT_EQ(decision("bootstrapped").older, nullptr);
  for (Snapshot& snapshot : snapshots_)
    snapshot.environment = "debian-bookworm-minimal", snapshot.distribution = "Other";
  EXPECT_EQ(told(decide()[1]), "build from I-with-system-packages as parent, 0 ready, keep");
}

TEST_F(Restore, AFreshBuildLooksAtNothing) {
  have_all_stages();
  have_unfinished("with-targets", "F", {});
  options_.fresh = true;
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
  EXPECT_EQ(decision("with-system-packages").candidates.size(), 1u);
}

TEST_F(Restore, AStageToRebuildStartsFromItsParentsImage) {
  have_all_stages();
  have_unfinished("with-targets", "F", {});
  options_.rebuild = {now_->at("with-base-toolchain")};
  EXPECT_THAT(decided(), ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped",
                                     "reuse I-configured", "build from I-configured as parent, 0 ready, keep",
                                     "build, keep", "build, keep", "skip"));
  EXPECT_EQ(decision("configured").rebuilt, std::nullopt);
  EXPECT_EQ(decision("with-base-toolchain").rebuilt, now_->at("with-base-toolchain"));
  EXPECT_EQ(decision("with-targets").rebuilt, now_->at("with-base-toolchain"));
  EXPECT_EQ(decision("with-targets").unused, nullptr);
}

TEST_F(Restore, ARebuildContinuesItsOwnImagesOnly) {
  have_all_stages();
  options_.rebuild = {now_->at("configured")};
  options_.fresh_build = fresh_build_name(2000, "x");
  have_unfinished("with-targets-pre", "F", {"zlib"}).fresh_build = options_.fresh_build;
  have_unfinished("with-targets-pre", "other", {"zlib", "app"});
  EXPECT_THAT(decided(),
              ElementsAre("reuse I-with-system-packages", "reuse I-bootstrapped", "reuse F", "reuse F",
                          "build from F as unfinished, 2 ready, keep", "build, keep", "skip"));
}

TEST_F(Restore, AnImageThatHoldsAStageToRebuildDoesNotStandForEarlierStages) {
  have("with-targets", "T");
  options_.rebuild = {now_->at("with-targets")};
  EXPECT_THAT(decided(), testing::ElementsAreArray(kAllFromBase));
  EXPECT_EQ(decision("configured").unused_why, "it holds with-targets, which is to be built again");
}

TEST_F(Restore, UnknownFingerprintsAreNotTrusted) {
  have_all_stages();
  for (Snapshot& snapshot : snapshots_)
    if (snapshot.packages.contains("zlib")) snapshot.packages["zlib"].fingerprint = "";
  tree_.file("src/code.py", "edited\n");
  replan();
  EXPECT_EQ(told(decide()[5]), "build from I-with-targets-pre as parent, 1 ready, keep") << "only tool";
  EXPECT_THAT(decision("with-targets").start->stale, ElementsAre("zlib"));
}

TEST_F(Restore, AnUnknownFingerprintEqualsNoOther) {
  // Even if the tree's own fingerprint is unknown too, for example because .dockerignore excludes build/pkgs.
  tree_.file(".dockerignore", "build\n");
  replan();
  have("with-base-toolchain", "B");
  have("with-targets-pre", "P").packages = {{"tool", {"1", ""}}, {"zlib", {"1.2", ""}}};
  replan({{"TARGETS_PRE", "app"}});
  for (const Candidate& candidate : decide()[4].candidates) EXPECT_EQ(candidate.ready, 0u);
}

TEST_F(Restore, AStaleDependencyMakesItsUsersUnreadyAndOrderOnlyOnesDoNot) {
  have_all_stages();
  tree_.file("build/pkgs/tool/patches/a.patch", "x\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 3 ready") << "zlib needs tool order-only";
  tree_.remove("build/pkgs/tool/patches").file("build/pkgs/zlib/patches/a.patch", "x\n");
  replan();
  EXPECT_EQ(told(decide()[1]), "build from I-with-targets as older, 1 ready");
}

TEST_F(Restore, AnImageWithAStageThatTheTableLacksIsRefused) {
  have_all_stages();
  snapshots_.back().lineage.front().stage = "from-elsewhere";
  snapshots_.back().packages.clear();
  tree_.file("src/code.py", "edited\n");
  replan();
  EXPECT_EQ(told(decide()[5]), "build from I-with-targets-pre as parent, 3 ready, keep");
  snapshots_.back().lineage.back().stage = snapshots_.back().stage = "unheard-of";
  EXPECT_EQ(told(decide()[5]), "build from I-with-targets-pre as parent, 3 ready, keep");
}

TEST_F(Restore, ThePreferredHolderIsTheStagesOwnThenTheCleanNewest) {
  have("bootstrapped", "own", 1);
  have("with-targets", "later", 9);
  EXPECT_EQ(decided()[1], "reuse own");
  have("bootstrapped", "newer-but-incremental", 5).clean = false;
  EXPECT_EQ(decided()[1], "reuse own");
  have("bootstrapped", "newer", 5);
  EXPECT_EQ(decided()[1], "reuse newer");
}

TEST_F(Restore, OfLaterStagesImagesTheNearestStandsForAStage) {
  have("with-targets", "far", 9);
  have("with-base-toolchain", "near", 1);
  EXPECT_EQ(decided()[1], "reuse near");
  have_unfinished("configured", "nearer-but-unfinished", {});
  EXPECT_EQ(decided()[1], "reuse near");
}

// --- Stages that branch.

class Branching : public Restore {
 protected:
  Branching() {
    tree_.file(
        "ci-docker.toml",
        "[[stage]]\nname='system'\nrecipe='%{system_packages}'\n"
        "[[stage]]\nname='common'\nadds=['build','bootstrap']\nrecipe='make tool'\nmake_targets=['tool']\n"
        "[[stage]]\nname='one'\nparent='common'\nadds=['src']\nrecipe='make app'\nmake_targets=['app']\n"
        "[[stage]]\nname='two'\nparent='common'\nrecipe='make extra'\nmake_targets=['extra']\n");
    replan();
  }
};

TEST_F(Branching, FromNothingEveryStageIsKept) {
  EXPECT_THAT(decided({"one", "two"}),
              ElementsAre("build from base, keep", "build, keep", "build, keep", "build, keep"));
  EXPECT_THAT(decided({"two"}), ElementsAre("build from base, keep", "build, keep", "skip", "build, keep"));
}

TEST_F(Branching, BranchingPointsAreCommittedInOlderImages) {
  have("system", "S"), have("common", "C", 2), have("one", "1", 3), have("two", "2", 4);
  tree_.file("bootstrap", "edited\n");
  replan();
  EXPECT_THAT(decided({"one", "two"}),
              ElementsAre("reuse S", "build from 2 as older, 3 ready, keep", "build, keep", "build, keep"))
      << "of equals the newest";
  EXPECT_THAT(decided({"two"}),
              ElementsAre("reuse S", "build from 2 as older, 3 ready", "skip", "build, keep"));
}

TEST_F(Branching, OnlyTheBranchThatChangedIsBuilt) {
  have("system", "S"), have("common", "C", 2), have("one", "1", 3), have("two", "2", 4);
  tree_.file("src/code.py", "edited\n");
  replan();
  EXPECT_THAT(decided({"one", "two"}),
              ElementsAre("reuse S", "reuse C", "build from 1 as older, 3 ready, keep", "reuse 2"));
}

TEST_F(Branching, AnImageWithWhatAnotherBranchWantsIsNotTakenForTheBranchThatLacksIt) {
  have("system", "S"), have("common", "C", 2), have("one", "1", 3);
  EXPECT_THAT(decided({"two"}),
              ElementsAre("reuse S", "reuse C", "skip", "build from C as parent, 1 ready, keep"));
}

TEST_F(Branching, AParentOfAnotherBranchIsNotRunAgain) {
  tree_.file("ci-docker.toml",
             "[[stage]]\nname='system'\nrecipe='%{system_packages}'\n"
             "[[stage]]\nname='common'\nadds=['build','bootstrap']\nrecipe='./bootstrap'\n"
             "[[stage]]\nname='one'\nparent='common'\nrecipe='make app'\nmake_targets=['app']\n"
             "[[stage]]\nname='two'\nparent='common'\nrecipe='make extra'\nmake_targets=['extra']\n");
  replan();
  have("system", "S"), have("one", "1", 3), have("two", "2", 4);
  tree_.file("bootstrap", "edited\n");
  replan();
  have("common", "C", 5);
  EXPECT_THAT(decided({"two"}),
              ElementsAre("reuse S", "build from 2 as older, 3 ready", "skip", "build, keep"));
  EXPECT_THAT(decided({"one", "two"}),
              ElementsAre("reuse S", "reuse C", "build from C as parent, 0 ready, keep",
                          "build from C as parent, 0 ready, keep"));
}

TEST_F(Branching, ABranchesImageStandsForTheirCommonStageOnlyOnItsOwnWay) {
  have("one", "1");
  EXPECT_THAT(decided({"one"}), ElementsAre("reuse 1", "reuse 1", "reuse 1", "skip"));
  // `two` cannot start in an image of `one`: the common stage runs again there, as in any older image.
  EXPECT_THAT(decided({"two"}),
              ElementsAre("reuse 1", "build from 1 as older, 2 ready", "skip", "build, keep"));
  EXPECT_THAT(decided({"one", "two"}),
              ElementsAre("reuse 1", "build from 1 as older, 3 ready", "reuse 1", "build, keep"));
}

}  // namespace
}  // namespace stagemake
