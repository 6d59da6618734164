// Wrong clocks, on another machine or on this one: what is rebuilt, and what labels say.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Clocks : public testing::Test {
 protected:
  // The finished image, made by a machine whose clock is a day ahead.
  void make_image_of_tomorrow() {
    std::string name = image_of_stage("with-targets");
    FakeImage image = bench_.engine.image(name);
    for (auto& [path, file] : image.files) file.time += 86'400;
    image.created += 86'400;
    image.layer_ids.clear();
    for (const ImageInfo& one : bench_.engine.list_images(std::string(kSchemaLabel), ""))
      bench_.engine.remove_image(one.id);
    bench_.engine.add_image(name, image);
  }
  std::int64_t youngest(const std::string& name) {
    std::int64_t youngest = 0;
    for (const auto& [path, file] : bench_.engine.image(name).files)
      if (path.starts_with("/sage/")) youngest = std::max(youngest, file.time);
    return youngest;
  }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(Clocks, AnImageOfTomorrowIsBroughtToThePresent) {
  bench_.build();
  make_image_of_tomorrow();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes,
              Contains(AllOf(HasSubstr("had times up to "), HasSubstr("were set to the present"))));
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
  EXPECT_LE(youngest(image_of_stage("with-targets")), bench_.engine.clock());
  EXPECT_THAT(bench_.build().notes, IsEmpty());
}

TEST_F(Clocks, AYoungStampDoesNotProveALocalBuild) {
  bench_.build();
  make_image_of_tomorrow();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.failing = {"app"};
  EXPECT_FALSE(bench_.build().result.all_well());
  bench_.failing.clear();
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: app")) << "it was never built with the new zlib";
}

TEST_F(Clocks, AnImageWhoseTimesCannotBeChangedIsNotUsed) {
  bench_.build();
  make_image_of_tomorrow();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.lacks_find = true;
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, Contains(AllOf(HasSubstr("is not used: it has file times "),
                                        HasSubstr("there is no find in it"))));
  EXPECT_THAT(run.scripts, Contains("bootstrap")) << "from the base image";
  // An image with times in the past only needs no program.
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.4\n");
  EXPECT_THAT(bench_.build().scripts, Contains("make all-sage-local: zlib app"));
}

TEST_F(Clocks, PackagesThatMakeSkippedAreBuilt) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  bench_.passes_over = {"app"};  // as if the clock was set back while make ran
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts,
              ElementsAre("bootstrap", "configure", "make base-toolchain:", "make all-sage-local: zlib",
                          "uninstall app; other", "make all-sage-local: app", "make build: pyapp"));
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
}

}  // namespace
}  // namespace stagemake
