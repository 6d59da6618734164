// The explanation of one package.
#include "plan/package_story.h"

#include <gmock/gmock.h>

#include "plan/planned_tree.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PackageStoryTest : public testing::Test {
 protected:
  PackageStory of(const std::string& name) {
    planned_.emplace(tree_);
    return story_of(planned_->plan, planned_->read.packages, planned_->read.variables, planned_->read.graph,
                    planned_->read.id(name), [](PackageId) { return 2.0; });
  }
  std::vector<std::string> names(const std::vector<PackageId>& ids) { return planned_->read.names(ids); }

  TreeText tree_{kSmallDistribution};
  std::optional<PlannedTree> planned_;
};

TEST_F(PackageStoryTest, SaysWhichStageBuildsItAndWhoNeedsIt) {
  PackageStory zlib = of("zlib");
  ASSERT_TRUE(zlib.stage);
  EXPECT_EQ(planned_->plan.stages[*zlib.stage].name, "with-targets-pre");
  EXPECT_TRUE(zlib.by_default);
  EXPECT_EQ(zlib.of, planned_->packages_of("with-targets-pre").size());
  EXPECT_EQ(planned_->packages_of("with-targets-pre")[zlib.place - 1], "zlib");
  EXPECT_THAT(names(zlib.users.planned), ElementsAre("app"));
  EXPECT_THAT(names(zlib.users.others), ElementsAre("extra"));
  EXPECT_EQ(zlib.all_planned_users, 2u) << "app, and pyapp by it";
  EXPECT_EQ(zlib.why_not, "");
}

TEST_F(PackageStoryTest, SaysWhatItWaitsForAndTheLongestWay) {
  PackageStory pyapp = of("pyapp");
  EXPECT_THAT(names(pyapp.needs), ElementsAre("app"));
  EXPECT_THAT(names(pyapp.before), ElementsAre("tool", "zlib", "app"));
  EXPECT_THAT(names(pyapp.way.packages), ElementsAre("tool", "zlib", "app", "pyapp"));
  EXPECT_DOUBLE_EQ(pyapp.way.seconds, 8);
  EXPECT_THAT(names(of("zlib").order_only_needs), ElementsAre("tool"));
}

TEST_F(PackageStoryTest, TheTargetThatNamesItIsTheShortestChain) {
  PackageStory zlib = of("zlib");
  ASSERT_FALSE(zlib.chains.empty());
  EXPECT_EQ(zlib.chains[0].target, "all-sage-local");
  EXPECT_THAT(names(zlib.chains[0].packages), ElementsAre("zlib"));
}

TEST_F(PackageStoryTest, ChainsPreferTargetsOfTheirOwn) {
  PackageStory zlib = of("zlib");
  ASSERT_EQ(zlib.chains.size(), 2u);
  EXPECT_GT(zlib.chains[1].packages.size(), 1u);
  EXPECT_EQ(names(zlib.chains[1].packages).back(), "zlib");
  EXPECT_EQ(of("pyapp").chains.size(), 1u) << "nothing needs it";
}

TEST_F(PackageStoryTest, AnOptionalPackageIsBuiltByNobodyUntilSomethingNeedsIt) {
  PackageStory extra = of("extra");
  EXPECT_FALSE(extra.stage);
  EXPECT_THAT(extra.why_not, HasSubstr("an optional package, nothing enables it (configure --enable-extra"));
  EXPECT_THAT(extra.chains, IsEmpty());
  tree_.file("build/pkgs/app/dependencies", "zlib extra\n");
  PackageStory needed = of("extra");
  ASSERT_TRUE(needed.stage);
  EXPECT_THAT(names(needed.chains.at(0).packages), ElementsAre("app", "extra"));
}

TEST_F(PackageStoryTest, SystemPackagesAreNotBuilt) {
  planned_.emplace(tree_);
  ConfiguredPackages configured{.dummies = {"zlib"}, .installed = {}};
  DependencyGraph graph(planned_->read.packages, planned_->read.variables, {.dummies = {"zlib"}});
  set_packages_exactly(planned_->plan, planned_->graphs, configured);
  PackageStory zlib = story_of(planned_->plan, planned_->read.packages, planned_->read.variables, graph,
                               planned_->read.id("zlib"), [](PackageId) { return 1.0; });
  EXPECT_TRUE(zlib.from_system);
  EXPECT_FALSE(zlib.stage);
  EXPECT_EQ(zlib.why_not, "configure uses the system's package");
  PackageStory app = story_of(planned_->plan, planned_->read.packages, planned_->read.variables, graph,
                              planned_->read.id("app"), [](PackageId) { return 1.0; });
  EXPECT_THAT(names(app.taken), ElementsAre("zlib"));
  EXPECT_THAT(app.needs, IsEmpty());
}

TEST_F(PackageStoryTest, TestDependenciesAreListedSeparately) {
  tree_.file("build/pkgs/app/dependencies_check", "extra\n");
  PackageStory app = of("app");
  EXPECT_THAT(names(app.needs), ElementsAre("zlib"));
  EXPECT_THAT(names(app.test_needs), ElementsAre("extra"));
  EXPECT_THAT(names(of("extra").test_users.planned), ElementsAre("app"));
}

TEST_F(PackageStoryTest, TestsThatWouldGoInACircleAreNotTold) {
  tree_.file("build/pkgs/zlib/dependencies_check", "app\n");
  PackageStory zlib = of("zlib");
  EXPECT_THAT(zlib.test_needs, IsEmpty());
  EXPECT_THAT(names(zlib.users.planned), ElementsAre("app"));
}

}  // namespace
}  // namespace stagemake
