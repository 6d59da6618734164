// --strict: fail instead of building from the base image if there are images.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Strict : public testing::Test {
 protected:
  Strict() { bench_.settings.strict = true; }
  // Why the build was refused; empty if it was not.
  std::string refusal() {
    BuildBench::Run run = bench_.build();
    EXPECT_THAT(run.scripts, IsEmpty()) << "nothing has run";
    EXPECT_TRUE(run.result.input_failed);
    for (const StageStatus& stage : run.result.environments[0].stages)
      if (stage.state == StageState::Failed) return stage.detail;
    return {};
  }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(Strict, WithoutImagesNothingIsRequired) {
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(Strict, ContinuingFromAnImageSucceeds) {
  bench_.build();
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n");
  EXPECT_TRUE(bench_.build().result.all_well());
}

TEST_F(Strict, FromScratchIsRefusedWithAReasonForEachImage) {
  bench_.build();
  bench_.given = {{"BASE_IMAGE", "debian:other"}};
  bench_.engine.add_image("debian:other", {.files = {}, .created = 1});
  EXPECT_THAT(refusal(), HasSubstr("would be built from its base image"));
}

TEST_F(Strict, ACleanBuildSaysWhyItContinuesFromNone) {
  bench_.build();
  bench_.settings.clean_only = true;
  bench_.tree.file("build/pkgs/_prereq/distros/debian.txt", "gcc make git\n");
  EXPECT_THAT(
      refusal(),
      AllOf(HasSubstr(
                image_of_stage("with-targets") +
                ": it was made from other sources, and a clean build does not continue from such an image"),
            HasSubstr(image_of_stage("configured") + ": it was made from other sources")));
}

}  // namespace
}  // namespace stagemake
