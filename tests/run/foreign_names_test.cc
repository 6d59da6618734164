// Names that hold other people's images.
#include "run/images/foreign_names.h"

#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ForeignNames : public testing::Test {
 protected:
  ForeignNames() { foreign_ = bench_.engine.add_image(name_, {.files = {{"/theirs", {.content = "x"}}}}); }

  const std::string name_ = image_of_stage("configured");
  BuildBench bench_{kSmallDistribution};
  std::string foreign_;
};

TEST_F(ForeignNames, StayAndTheWorkIsReachableBesideThem) {
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(bench_.id_of(name_), foreign_);
  EXPECT_EQ(bench_.snapshot(name_beside(name_)).stage, "configured");
  EXPECT_EQ(run.result.environments[0].stages[2].image, name_beside(name_));
  EXPECT_THAT(run.notes, ElementsAre(testing::AllOf(HasSubstr(name_), HasSubstr("--take-names"))));
  EXPECT_THAT(bench_.build().scripts, IsEmpty()) << "and it is found again";
  EXPECT_EQ(bench_.id_of(name_), foreign_);
}

TEST_F(ForeignNames, AreTakenOnRequest) {
  bench_.take_names = true;
  EXPECT_THAT(bench_.build().notes, IsEmpty());
  EXPECT_EQ(bench_.snapshot(name_).stage, "configured");
}

TEST_F(ForeignNames, AreLeftByReusedImagesAndByThoseThatHoldSeveralStages) {
  bench_.build();
  bench_.tags = {"2"};
  std::string again = bench_.engine.add_image(image_of_stage("with-targets", "2"), {});
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(bench_.id_of(image_of_stage("with-targets", "2")), again);
  EXPECT_THAT(run.notes, Contains(HasSubstr(image_of_stage("with-targets", "2"))));
  bench_.tags = {"3"};
  again = bench_.engine.add_image(image_of_stage("bootstrapped", "3"), {});
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  EXPECT_TRUE(bench_.build().result.all_well());
  EXPECT_EQ(bench_.id_of(image_of_stage("bootstrapped", "3")), again);
}

TEST_F(ForeignNames, AFailedStagesNameToo) {
  std::string failed = image_of_stage("with-targets-pre", "1-failed");
  std::string id = bench_.engine.add_image(failed, {});
  bench_.failing = {"app"};
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(bench_.id_of(failed), id);
  EXPECT_TRUE(bench_.has_image(name_beside(failed)));
}

TEST_F(ForeignNames, AreNeverPushed) {
  bench_.repository = bench_.push_repository = "r.example/";
  bench_.engine.add_image("r.example/" + name_, {.files = {{"/theirs", {.content = "x"}}}});
  PushResults results;
  {
    PushQueue pushes(bench_.engine, system_clock(), bench_.journal, bench_.reporter, {.tries = 1});
    bench_.options.pushes = &pushes;
    bench_.build();
    results = pushes.finish();
  }
  EXPECT_THAT(results.pushed, testing::Not(Contains("r.example/" + name_)));
  EXPECT_THAT(results.pushed, testing::SizeIs(5));
}

}  // namespace
}  // namespace stagemake
