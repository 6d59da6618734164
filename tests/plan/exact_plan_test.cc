// What configure decided: in plans, in labels; and environments that continue from a finished image.
#include <gmock/gmock.h>

#include <algorithm>

#include "plan/planned_tree.h"
#include "snapshot/restore.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExactPlan : public testing::Test {
 protected:
  GraphOptions options(const std::optional<ConfiguredPackages>& configured) {
    return graph_options(planned_.environment, planned_.read.packages, planned_.read.variables, configured);
  }
  void set_exactly(PlannedTree& planned, const ConfiguredPackages& configured) {
    set_packages_exactly(planned.plan, planned.graphs, configured);
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const PlannedStage& stage : planned_.plan.stages) all.push_back(stage.key);
    return all;
  }

  TreeText tree_{kSmallDistribution};
  PlannedTree planned_{tree_};
};

TEST_F(ExactPlan, APlanIsAnUpperBoundAtFirst) {
  EXPECT_FALSE(planned_.plan.is_exact());
  ASSERT_TRUE(planned_.plan.configuring_stage().has_value());
  EXPECT_EQ(planned_.plan.stages[*planned_.plan.configuring_stage()].name, "configured");
  EXPECT_THAT(planned_.packages_of("with-base-toolchain"), ElementsAre("tool"));
  EXPECT_THAT(planned_.packages_of("with-targets-pre"), ElementsAre("zlib", "app"));
}

TEST_F(ExactPlan, DummiesLeaveItAndKeysDoNotDependOnThem) {
  std::vector<std::string> before = keys();
  std::vector<std::string> fingerprints = *planned_.plan.fingerprints;
  set_exactly(planned_, {{"zlib", "tool"}, {}});
  EXPECT_TRUE(planned_.plan.is_exact());
  EXPECT_THAT(planned_.packages_of("with-base-toolchain"), IsEmpty());
  EXPECT_THAT(planned_.packages_of("with-targets-pre"), ElementsAre("app"));
  EXPECT_THAT(planned_.packages_of("with-targets"), ElementsAre("pyapp"));
  EXPECT_EQ(keys(), before);
  EXPECT_EQ(*planned_.plan.fingerprints, fingerprints);
}

TEST_F(ExactPlan, EnabledPackagesArePlanned) {
  set_exactly(planned_, {{}, {"extra"}});
  EXPECT_THAT(planned_.packages_of("with-targets-pre"),
              testing::UnorderedElementsAre("zlib", "app", "extra"));
  set_exactly(planned_, {{}, {}});
  EXPECT_THAT(planned_.packages_of("with-targets-pre"), ElementsAre("zlib", "app")) << "and taken back";
}

TEST_F(ExactPlan, UnknownTargetsAreReportedOnce) {
  PlannedTree other(tree_.path(), {.name = "debian-bookworm-minimal", .given = {{"TARGETS", "nothing app"}}});
  EXPECT_THAT(other.stage("with-targets").unknown_targets, ElementsAre("nothing"));
  set_exactly(other, {{"app"}, {}});
  EXPECT_THAT(other.stage("with-targets").unknown_targets, ElementsAre("nothing"));
}

TEST_F(ExactPlan, NamesOfNoPackageDecideNothing) {
  EXPECT_THAT(options({}).dummies, IsEmpty());
  GraphOptions told = options(ConfiguredPackages{{"zlib", "gone"}, {"extra", "gone_too"}});
  EXPECT_THAT(told.dummies, ElementsAre("zlib"));
  EXPECT_THAT(told.installed, ElementsAre("extra"));
}

TEST_F(ExactPlan, ATableThatNeverConfiguresHasNoSuchStage) {
  tree_.file("ci-docker.toml", "[[stage]]\nname='system'\nrecipe='%{system_packages}'\n");
  EXPECT_EQ(PlannedTree(tree_).plan.configuring_stage(), std::nullopt);
}

// --- In labels

TEST_F(ExactPlan, SnapshotsCarryWhatConfigureDecided) {
  Snapshot snapshot = image_of(planned_, "configured", "I");
  EXPECT_EQ(to_labels(snapshot).at("org.stagemake.configured"), "")
      << "or a parent's label would shine through";
  EXPECT_EQ(from_labels(to_labels(snapshot))->configured, std::nullopt);
  snapshot.configured = ConfiguredPackages{{"zlib"}, {"extra", "app"}};
  EXPECT_EQ(from_labels(to_labels(snapshot))->configured, snapshot.configured);
  snapshot.configured = ConfiguredPackages();
  EXPECT_EQ(from_labels(to_labels(snapshot))->configured, ConfiguredPackages());
}

TEST_F(ExactPlan, ALabelThatDoesNotParseSaysNothingAndTheSnapshotIsOne) {
  std::map<std::string, std::string> labels = to_labels(image_of(planned_, "configured", "I"));
  for (const char* text : {"{", "{\"dummies\":[\"../x\"],\"installed\":[]}", "[]"}) {
    labels["org.stagemake.configured"] = text;
    ASSERT_TRUE(from_labels(labels).has_value()) << text;
    EXPECT_EQ(from_labels(labels)->configured, std::nullopt) << text;
  }
  labels.erase("org.stagemake.configured");
  ASSERT_TRUE(from_labels(labels).has_value()) << "of an older version";
}

// --- RestoreOptions::base

class GoingOn : public ExactPlan {
 protected:
  // The decision for the first stage, with `target` requested.
  StageDecision first(const std::optional<Snapshot>& base, const std::string& target = "with-targets",
                      bool fresh = false) {
    decisions_ = decide(planned_.plan, planned_.graphs, share(snapshots_),
                        {.targets = {planned_.at(target)},
                         .fresh = fresh,
                         .base = base ? std::make_shared<Snapshot>(*base) : nullptr});
    return decisions_[0];
  }
  std::vector<std::string> to_build() const { return planned_.read.names(decisions_[0].start->to_build); }

  std::vector<Snapshot> snapshots_;
  std::vector<StageDecision> decisions_;
};

TEST_F(GoingOn, WithoutABaseThatSaysSomethingAllIsToBeBuilt) {
  StageDecision decision = first({});
  ASSERT_TRUE(decision.start.has_value());
  EXPECT_EQ(decision.start->ready, 0u);
  EXPECT_THAT(to_build(), testing::UnorderedElementsAre("tool", "zlib", "app", "pyapp"));
}

TEST_F(GoingOn, PackagesInTheBaseAreReady) {
  Snapshot base = image_of(planned_, "with-targets", "B");
  StageDecision decision = first(base);
  ASSERT_TRUE(decision.start.has_value());
  EXPECT_EQ(decision.action, StageDecision::Action::Build) << "it is not an image of this environment";
  EXPECT_EQ(decision.start->snapshot, nullptr);
  EXPECT_EQ(decision.start->ready, 4u);
  EXPECT_THAT(to_build(), IsEmpty());
  EXPECT_THAT(decision.start->stale, IsEmpty());
  EXPECT_TRUE(decision.commit);
}

TEST_F(GoingOn, DifferentPackagesInTheBaseAreStaleOrRemoved) {
  Snapshot base = image_of(planned_, "with-targets", "B");
  base.packages["app"].fingerprint = std::string(16, '0');
  base.packages["zlib"].fingerprint = "";
  base.packages["gone"] = {"1", std::string(16, '1')};
  base.packages["pyapp"].version = "2.9";
  StageDecision decision = first(base);
  EXPECT_THAT(decision.start->stale, ElementsAre("zlib")) << "app needs it: make builds it again by itself";
  EXPECT_THAT(decision.start->removed, ElementsAre("gone"));
  EXPECT_EQ(decision.start->ready, 1u);
  EXPECT_THAT(to_build(), testing::UnorderedElementsAre("zlib", "app", "pyapp"));
}

TEST_F(GoingOn, PackagesBuiltFromOtherInputsAreStale) {
  Snapshot base = image_of(planned_, "with-targets", "B");
  base.packages["app"].fingerprint = std::string(16, '0');
  EXPECT_THAT(first(base).start->stale, ElementsAre("app"));
  EXPECT_THAT(to_build(), testing::UnorderedElementsAre("app", "pyapp"));
  // The system has zlib now: our zlib is removed, and app was built with it.
  base = image_of(planned_, "with-targets", "B");
  set_exactly(planned_, {{"zlib"}, {}});
  StageDecision decision = first(base);
  EXPECT_THAT(decision.start->unwanted, ElementsAre("zlib"));
  EXPECT_THAT(decision.start->stale, ElementsAre("app"));
  EXPECT_THAT(to_build(), testing::UnorderedElementsAre("app", "pyapp"));
}

TEST_F(GoingOn, AFreshBuildToo) {
  Snapshot base = image_of(planned_, "with-targets", "B");
  EXPECT_EQ(first(base, "with-targets", true).start->ready, 4u) << "the base image is where it begins";
}

TEST_F(GoingOn, StagesThatFollowImagesOfTheEnvironmentAskThose) {
  Snapshot base = image_of(planned_, "with-targets", "B");
  snapshots_.push_back(image_of(planned_, "configured", "C"));
  first(base);
  const StageDecision& next = decisions_[planned_.at("with-base-toolchain")];
  ASSERT_TRUE(next.start.has_value());
  ASSERT_NE(next.start->snapshot, nullptr);
  EXPECT_EQ(next.start->snapshot->image, snapshots_[0].image);
  EXPECT_EQ(next.start->ready, 0u);
}

}  // namespace
}  // namespace stagemake
