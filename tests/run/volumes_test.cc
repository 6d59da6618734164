#include "run/container/volumes.h"

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

std::string in_the_way(const std::string& volume, const std::string& root = "/sage") {
  return volumes_in_the_way({.volumes = {"/data", volume}}, root);
}

TEST(Volumes, AtAboveAndBelowTheTreeAreInTheWay) {
  for (const char* volume : {"/sage", "/sage/", "/sage/local", "//sage/./local/lib", "/"})
    EXPECT_THAT(in_the_way(volume), HasSubstr("what is built in /sage would be lost")) << volume;
  EXPECT_THAT(in_the_way("/opt/dist", "/opt/dist/sage"), HasSubstr("the volume /opt/dist,"));
}

TEST(Volumes, VolumesHideInstallationFolders) {
  for (const char* volume : {"/usr", "/etc/", "/var", "/var/lib"})
    EXPECT_THAT(in_the_way(volume), HasSubstr("what the system installs there would be lost")) << volume;
}

TEST(Volumes, ElsewhereAreNone) {
  for (const char* volume : {"/sagemath", "/home/sage", "/var/lib/postgresql/data", "/tmp", "/srv", "/sag"})
    EXPECT_THAT(in_the_way(volume), IsEmpty()) << volume;
  EXPECT_THAT(volumes_in_the_way({}, "/sage"), IsEmpty());
}

TEST(Volumes, ABaseImageWithThemIsRefusedBeforeAnythingRuns) {
  BuildBench bench(kSmallDistribution);
  bench.engine.add_image("debian:bookworm", {.files = {{"/etc/os", {.content = "debian"}}},
                                             .configuration = {.volumes = {"/sage/local"}}});
  BuildBench::Run run = bench.build();
  EXPECT_FALSE(run.result.engine_failed);
  EXPECT_TRUE(run.result.input_failed);
  EXPECT_THAT(run.scripts, IsEmpty());
  EXPECT_THAT(run.result.environments[0].stages[0].detail,
              AllOf(HasSubstr("the base image debian:bookworm cannot be used"), HasSubstr("/sage/local"),
                    HasSubstr("docker import")));
  bench.engine.add_image("debian:bookworm", {.files = {{"/etc/os", {.content = "debian"}}},
                                             .configuration = {.volumes = {"/data"}}});
  EXPECT_TRUE(bench.build().result.all_well());
}

}  // namespace
}  // namespace stagemake
