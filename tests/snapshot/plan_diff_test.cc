// What a change causes to be rebuilt.
#include "snapshot/plan_diff.h"

#include <gmock/gmock.h>

#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlanDiffTest : public testing::Test {
 protected:
  PlanDiffTest() { before_.emplace(old_); }

  PlanDiff diff(const std::string& target = "with-targets",
                const EnvironmentRequest& request = small_request()) {
    after_.emplace(new_.path(), request);
    Costs costs;
    costs.package_seconds.assign(after_->read.packages.size(), 100);
    return plan_diff({before_->plan, before_->graphs}, {after_->plan, after_->graphs}, {after_->at(target)},
                     costs);
  }
  std::vector<PackageChange> changes() {
    after_.emplace(new_);
    return package_changes(before_->read.packages, before_->sources, after_->read.packages, after_->sources);
  }
  std::vector<std::string> texts() {
    std::vector<std::string> all;
    for (const PackageChange& change : changes()) all.push_back(change.text());
    return all;
  }
  static std::vector<std::string> stages(const PlanDiff& diff) {
    std::vector<std::string> names;
    for (const RerunStage& stage : diff.stages) names.push_back(stage.name);
    return names;
  }

  TreeText old_{kSmallDistribution}, new_{kSmallDistribution};
  std::optional<PlannedTree> before_, after_;
};

TEST_F(PlanDiffTest, TheSameTreesDifferInNothing) {
  PlanDiff none = diff();
  EXPECT_TRUE(none.is_empty());
  EXPECT_DOUBLE_EQ(none.seconds, 0);
  EXPECT_THAT(changes(), IsEmpty());
  new_.file("README.md", "another text");
  EXPECT_TRUE(diff().is_empty()) << "no stage reads it";
}

TEST_F(PlanDiffTest, AnEditedPackageTakesWithItWhatNeedsIt) {
  new_.file("build/pkgs/app/spkg-install.in", "make all install\n");
  PlanDiff edited = diff();
  EXPECT_THAT(stages(edited), ElementsAre("bootstrapped", "configured", "with-base-toolchain",
                                          "with-targets-pre", "with-targets"));
  EXPECT_THAT(edited.stages[0].paths, ElementsAre("build"));
  EXPECT_THAT(edited.stages[0].reasons, IsEmpty());
  EXPECT_THAT(edited.stages[1].paths, IsEmpty()) << "because the stage before it does";
  EXPECT_THAT(edited.packages, ElementsAre("app", "pyapp"));
  EXPECT_FALSE(edited.is_whole);
  EXPECT_GE(edited.seconds, 200);
  EXPECT_THAT(texts(), ElementsAre("app (spkg-install.in)"));
}

TEST_F(PlanDiffTest, OnlyTheStagesThatWereAskedForCount) {
  new_.file("src/code.py", "other code");
  EXPECT_THAT(stages(diff()), ElementsAre("with-targets"));
  EXPECT_TRUE(diff("with-targets-pre").is_empty());
}

TEST_F(PlanDiffTest, AnotherSystemPackageBuildsAllAgainAndIsNamed) {
  new_.file("build/pkgs/_prereq/distros/debian.txt", "gcc make cmake\n");
  PlanDiff system = diff();
  ASSERT_FALSE(system.is_empty());
  EXPECT_EQ(system.stages[0].name, "with-system-packages");
  EXPECT_TRUE(system.is_whole);
  EXPECT_EQ(system.begins_in, "");
  EXPECT_THAT(system.packages, ElementsAre("app", "pyapp", "tool", "zlib"));
  EXPECT_THAT(system.stages[0].reasons, ElementsAre("system packages: + cmake"));
}

TEST_F(PlanDiffTest, OfLongValuesTheWordsThatDifferAreNamed) {
  EnvironmentRequest request = small_request();
  request.given["EXTRA_CONFIGURE_ARGS"] = "--one=" + std::string(70, 'x') + " --two";
  before_.emplace(old_.path(), request);
  request.given["EXTRA_CONFIGURE_ARGS"] = "--one=" + std::string(70, 'x') + " --three";
  PlanDiff other = diff("with-targets", request);
  ASSERT_FALSE(other.is_empty());
  EXPECT_EQ(other.stages[0].name, "configured");
  EXPECT_THAT(other.stages[0].reasons, ElementsAre("EXTRA_CONFIGURE_ARGS: + --three, - --two"));
  EXPECT_EQ(other.begins_in, "bootstrapped");
}

TEST_F(PlanDiffTest, PackagesComeGoAndMove) {
  new_.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  new_.file("build/pkgs/zlib/SPKG.rst", "text\n");
  new_.file("build/pkgs/tool/SPKG.rst", "text\n");
  new_.file("build/pkgs/fresh/type", "standard\n").file("build/pkgs/fresh/package-version.txt", "7\n");
  new_.remove("build/pkgs/extra/type").remove("build/pkgs/extra");
  EXPECT_THAT(texts(),
              ElementsAre("extra (removed, was 1)", "fresh (new, 7)", "tool (SPKG.rst)", "zlib 1.2 -> 1.3"));
  EXPECT_EQ(changes()[2].kind, PackageChange::Kind::Beside);
  EXPECT_EQ(changes()[3].kind, PackageChange::Kind::Version);
  PlanDiff moved = diff();
  EXPECT_THAT(moved.packages, ElementsAre("app", "fresh", "pyapp", "zlib"));
}

TEST_F(PlanDiffTest, ARemovedPackageIsUninstalled) {
  new_.remove("build/pkgs/pyapp");
  EXPECT_THAT(diff().removed, ElementsAre("pyapp"));
}

TEST_F(PlanDiffTest, TheSameIsSaidOfTheSame) {
  new_.file("build/pkgs/app/spkg-install.in", "make all install\n");
  PlanDiff one = diff(), two = diff();
  two.seconds += 5;
  EXPECT_TRUE(one.same_as(two)) << "times differ from system to system";
  two.packages.pop_back();
  EXPECT_FALSE(one.same_as(two));
}

TEST_F(PlanDiffTest, TextOfTreesIsMadePrintable) {
  new_.file("build/pkgs/app/patches/\x1b[31mred", "x");
  EXPECT_THAT(texts(), ElementsAre(HasSubstr("patches/\\x1b[31mred")));
}

}  // namespace
}  // namespace stagemake
