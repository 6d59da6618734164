// How long builds will take, and what they have in common.
#include "schedule/estimate.h"

#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMinimal = "debian-bookworm-minimal";
constexpr const char* kStandard = "debian-bookworm-standard";

class SharedPrefix : public testing::Test {
 protected:
  SharedPrefix() { bench_.given = {{"SAGE_PACKAGE_LIST_ARGS", "_prereq"}}; }
  // The states of the second environment's stages.
  static std::vector<std::string> second(const BuildBench::Run& run) {
    std::vector<std::string> states;
    for (const StageStatus& stage : run.result.environments[1].stages) states.emplace_back(word(stage.state));
    return states;
  }
  std::size_t ran(const BuildBench::Run& run, const std::string& script) {
    return static_cast<std::size_t>(std::count(run.scripts.begin(), run.scripts.end(), script));
  }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(SharedPrefix, ASharedPrefixIsBuiltOnce) {
  BuildBench::Run run = bench_.build({kMinimal, kStandard});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(ran(run, "system packages"), 1u);
  EXPECT_EQ(second(run)[0], "reused");
  EXPECT_TRUE(bench_.has_image(image_of_stage("with-system-packages", "1", kStandard)))
      << "under its own name too";
  EXPECT_TRUE(bench_.has_image(image_of_stage("with-targets", "1", kStandard)));
  EXPECT_THAT(bench_.build({kMinimal, kStandard}).scripts, IsEmpty());
}

TEST_F(SharedPrefix, AFreshBuildSharesWhatItMakesItself) {
  bench_.build({kMinimal, kStandard});
  bench_.settings.fresh = true;
  BuildBench::Run run = bench_.build({kMinimal, kStandard});
  EXPECT_EQ(ran(run, "system packages"), 1u);
  EXPECT_EQ(run.scripts.size(), 6u) << "here they differ in nothing but their names";
}

TEST_F(SharedPrefix, AtOnceToo) {
  bench_.options.at_once = 4;
  BuildBench::Run run = bench_.build({kMinimal, kStandard, "debian-bookworm-maximal"});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(ran(run, "system packages"), 1u);
}

TEST_F(SharedPrefix, AfterAFailureTheOtherBuildsItself) {
  unsigned tries = 0;
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package.empty() && ++tries == 1) throw EngineError("the engine hiccuped");
  };
  BuildBench::Run run = bench_.build({kMinimal, kStandard});
  EXPECT_EQ(run.states[0], "failed");
  EXPECT_THAT(second(run),
              ElementsAre("built", "built", "built", "built", "built", "built", "not asked for"));
}

TEST_F(SharedPrefix, OtherSystemPackagesAreNotShared) {
  bench_.given = {};
  bench_.tree.file("build/pkgs/zlib/spkg-configure.m4", "SAGE_SPKG_CONFIGURE\n");
  BuildBench::Run run = bench_.build({kMinimal, kStandard});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(ran(run, "system packages"), 2u);
}

TEST(EstimateText, IsOneLineOfWhatMatters) {
  EXPECT_EQ(estimate_text({.environments = 1, .reused = 6}, 0),
            "1 environment: 6 stages reused; nothing to build");
  EXPECT_EQ(
      estimate_text(
          {.environments = 2, .built = 5, .reused = 6, .shared = 1, .packages = 1, .processor_seconds = 90},
          50),
      "2 environments: 6 stages reused, 1 stage shared, 5 to build, 1 package; about 1 min 30 s of processor "
      "time, "
      "done "
      "in 50 s");
  EXPECT_EQ(estimate_text({.environments = 1,
                           .built = 1,
                           .packages = 20,
                           .guessed = 3,
                           .is_exact = false,
                           .fetches = 1,
                           .fetch_bytes = 2'000'000,
                           .processor_seconds = 7200},
                          3600),
            "1 environment: 1 image to fetch, 2.0 MB, 1 to build, at most 20 packages; about 2 h 00 min of "
            "processor time, "
            "done in 1 h 00 min (3 packages never built yet: guessed)");
}

TEST(PredictionText, SaysHowMuchIsGuessed) {
  EXPECT_EQ(prediction_text({.environments = 1, .reused = 6}, 0), "");
  EXPECT_EQ(prediction_text({.built = 2, .packages = 20, .processor_seconds = 7200}, 3600),
            "1 h 00 min; 2 h 00 min of processor time, all measured");
  EXPECT_EQ(prediction_text({.built = 2,
                             .packages = 20,
                             .guessed = 12,
                             .guessed_stages = 1,
                             .is_exact = false,
                             .processor_seconds = 7200,
                             .guessed_seconds = 720},
                            3600),
            "at most 1 h 00 min; of 2 h 00 min of processor time, 12 min 00 s are guesses (12 packages and 1 "
            "stage were never measured)");
}

}  // namespace
}  // namespace stagemake
