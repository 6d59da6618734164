// What must exist after a stage, whatever its exit status.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class BuildLeft : public testing::Test {
 protected:
  const StageStatus& stage(const BuildBench::Run& run, std::size_t at) {
    return run.result.environments[0].stages[at];
  }
  BuildBench bench_{kSmallDistribution};
};

TEST_F(BuildLeft, ABootstrapThatLeavesNoConfigureHasFailed) {
  bench_.leaves_nothing = {"bootstrap"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("built", "failed", "skipped", "skipped", "skipped", "skipped", "not asked for"));
  EXPECT_TRUE(run.result.stage_failed);
  EXPECT_THAT(stage(run, 1).detail,
              AllOf(HasSubstr("exit status 0, but missing: configure"),
                    HasSubstr("kept as " + image_of_stage("bootstrapped", "1-failed"))));
  EXPECT_THAT(read_file(stage(run, 1).log).value(),
              HasSubstr("what must exist after it is missing: configure"));
  EXPECT_FALSE(bench_.has_image(image_of_stage("bootstrapped")));
  bench_.leaves_nothing.clear();
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(BuildLeft, AConfigureThatWritesNothingHasFailed) {
  bench_.leaves_nothing = {"configure"};
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.states[2], "failed");
  EXPECT_THAT(stage(run, 2).detail, HasSubstr("missing: config.status, build/make/Makefile"));
}

// An image from a version that trusted the exit status.
TEST_F(BuildLeft, AnImageWithoutItIsNotUsedAgain) {
  bench_.targets = {"bootstrapped"};
  bench_.build();
  std::string name = image_of_stage("bootstrapped");
  FakeImage hollow = bench_.engine.image(name);
  hollow.files.erase("/sage/configure");
  std::string id = bench_.id_of(name);
  bench_.engine.remove_image(id);
  bench_.engine.add_image(name, hollow);
  bench_.targets = {"with-targets"};
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes,
              ElementsAre(HasSubstr(name + " is not used: it has no configure, which bootstrapped must "
                                           "create")));
  EXPECT_EQ(run.states[1], "built");
}

TEST_F(BuildLeft, APackageWithoutItsRecordFailsTheStage) {
  bench_.makefile = "DUMMY_PACKAGES =\nOPTIONAL_INSTALLED_PACKAGES =\n";
  bench_.leaves_nothing = {"app"};
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.states[4], "failed");
  EXPECT_THAT(stage(run, 4).detail, HasSubstr("missing: the installation record of app"));
  EXPECT_FALSE(bench_.has_image(image_of_stage("with-targets-pre")));
  bench_.leaves_nothing.clear();
  run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(BuildLeft, WhatTheSystemProvidesNeedsNone) {
  bench_.makefile = "DUMMY_PACKAGES = zlib\nOPTIONAL_INSTALLED_PACKAGES =\n";
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(BuildLeft, AStageThatIgnoresErrorsNeedsNone) {
  bench_.makefile = "DUMMY_PACKAGES =\nOPTIONAL_INSTALLED_PACKAGES =\n";
  bench_.targets = {"with-targets-optional"};
  bench_.given = {{"TARGETS_OPTIONAL", "extra"}};
  bench_.leaves_nothing = {"extra"};
  EXPECT_TRUE(bench_.build().result.all_well());
}

}  // namespace
}  // namespace stagemake
