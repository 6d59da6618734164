// Foreign images with labels that are too long: a build works without them, and reports them.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StrangeImages : public testing::Test {
 protected:
  // A copy of `image` with other labels, under another name.
  void add(const std::string& image, const std::string& label, const std::string& value) {
    FakeImage copy = bench_.engine.image(image);
    copy.labels[label] = value;
    bench_.engine.remove_image("strange:1");
    bench_.engine.add_image("strange:1", copy);
    for (const char* stage : {"bootstrapped", "configured", "with-targets-pre", "with-targets"})
      bench_.engine.remove_image(image_of_stage(stage));
  }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(StrangeImages, TooLongLabelsAreSkipped) {
  bench_.build();
  for (const char* label : {"org.stagemake.packages", "org.stagemake.other"}) {
    add(image_of_stage("with-targets"), label, "{\"zlib\":[\"" + std::string(270'000, '1') + "\",\"\"]}");
    BuildBench::Run run = bench_.build();
    EXPECT_TRUE(run.result.all_well());
    EXPECT_THAT(run.passed_over, ElementsAre(HasSubstr("the image strange:1 is skipped: its label " +
                                                       std::string(label) + " has 270.0 kB")));
    EXPECT_THAT(bench_.build().scripts, IsEmpty()) << "what was built without it is found";
  }
}

TEST_F(StrangeImages, LongForeignLabelsAreHarmless) {
  bench_.build();
  add(image_of_stage("with-targets"), "com.example", std::string(270'000, '1'));
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.passed_over, IsEmpty());
  EXPECT_THAT(run.scripts, IsEmpty()) << "it is reused";
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  EXPECT_TRUE(bench_.build().result.all_well()) << "and built on";
}

}  // namespace
}  // namespace stagemake
