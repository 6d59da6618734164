// Whole builds: what runs, what is reused, and what is kept under which names.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::UnorderedElementsAre;

class Build : public testing::Test {
 protected:
  BuildBench bench_{kSmallDistribution};
};

TEST_F(Build, TheFirstRunBuildsEveryStageAndTheSecondOnlyLooks) {
  BuildBench::Run first = bench_.build();
  EXPECT_TRUE(first.result.all_well());
  EXPECT_THAT(first.states,
              ElementsAre("built", "built", "built", "built", "built", "built", "not asked for"));
  EXPECT_THAT(first.scripts,
              ElementsAre("system packages", "bootstrap", "configure", "make base-toolchain: tool",
                          "make all-sage-local: zlib app", "make build: pyapp"));
  EXPECT_EQ(first.calls.at("create"), 6u);
  EXPECT_EQ(first.calls.at("commit"), 6u);
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty()) << "no container is left";

  BuildBench::Run second = bench_.build();
  EXPECT_TRUE(second.result.all_well());
  EXPECT_THAT(second.states,
              ElementsAre("reused", "reused", "reused", "reused", "reused", "reused", "not asked for"));
  EXPECT_THAT(second.scripts, IsEmpty());
  EXPECT_THAT(second.calls, UnorderedElementsAre(Pair("find_image", 1), Pair("list_images", 1),
                                                 Pair("list_containers", 1)));
  EXPECT_THAT(bench_.reporter.changes, IsEmpty());
}

TEST_F(Build, EachBaseImageIsAskedForOnceHoweverManyEnvironmentsHaveIt) {
  bench_.engine.add_image("debian:bullseye", {.files = {{"/etc/os", {.content = "debian"}}}});
  std::vector<std::string> environments{"debian-bookworm-minimal", "debian-bookworm-standard",
                                        "debian-bullseye-minimal", "debian-bookworm-maximal"};
  EXPECT_TRUE(bench_.build(environments).result.all_well());
  EXPECT_EQ(bench_.build(environments).calls.at("find_image"), 2u);
}

TEST_F(Build, ABaseImageThatIsNotThereIsAskedForAnewByTheNextCommand) {
  BaseImages bases(bench_.engine);
  EXPECT_FALSE(bases.find("debian:trixie"));
  std::string id = bench_.engine.add_image("debian:trixie", {});
  EXPECT_FALSE(bases.find("debian:trixie")) << "what was decided with stays so";
  EXPECT_EQ(BaseImages(bench_.engine).find("debian:trixie").value().id, id);
  bench_.engine.fail("find_image", "the daemon is gone", 1);
  EXPECT_THROW(bases.find("debian:sid"), EngineError);
  EXPECT_FALSE(bases.find("debian:sid")) << "an error is not an answer";
}

TEST_F(Build, ImagesSayWhatTheyAre) {
  bench_.build();
  Snapshot snapshot = bench_.snapshot(image_of_stage("with-targets"));
  EXPECT_EQ(snapshot.distribution, "Small");
  EXPECT_EQ(snapshot.environment, "debian-bookworm-minimal");
  EXPECT_EQ(snapshot.stage, "with-targets");
  EXPECT_TRUE(snapshot.complete);
  EXPECT_TRUE(snapshot.clean);
  EXPECT_EQ(snapshot.revision, "v1");
  EXPECT_EQ(snapshot.made_by, STAGEMAKE_VERSION);
  EXPECT_EQ(snapshot.base_digest, bench_.id_of("debian:bookworm"));
  EXPECT_EQ(snapshot.lineage.size(), 6u);
  std::vector<std::string> packages;
  for (const auto& [name, package] : snapshot.packages) {
    packages.push_back(name + "-" + package.version);
    EXPECT_EQ(package.fingerprint.size(), 16u) << name;
  }
  EXPECT_THAT(packages, ElementsAre("app-2.0", "pyapp-3.0", "tool-1", "zlib-1.2"));
  EXPECT_TRUE(bench_.state.manifest(snapshot.manifest).has_value());
  EXPECT_EQ(bench_.engine.image(image_of_stage("with-targets")).configuration.working_folder, "/sage");
}

TEST_F(Build, WhatAPersonStartsFromAnImageIsNoContainerOfOurs) {
  // A shell opened in an image has a container with the image's labels, which no run may adopt.
  bench_.failing = {"pyapp"};
  bench_.build();
  bench_.engine.create({.name = "a-shell", .image = image_of_stage("with-targets", "1-failed")});
  bench_.build();
  EXPECT_THAT(bench_.engine.container_names(), ElementsAre("a-shell"));
}

TEST_F(Build, SourcesComeWithTheirStage) {
  bench_.build();
  EXPECT_THAT(bench_.files(image_of_stage("with-system-packages"), ""), IsEmpty());
  EXPECT_THAT(bench_.files(image_of_stage("bootstrapped"), "src/"), ElementsAre("src/bin/tool"));
  EXPECT_THAT(bench_.files(image_of_stage("with-targets"), "src/"),
              ElementsAre("src/bin/tool", "src/code.py"));
  EXPECT_THAT(bench_.files(image_of_stage("with-targets"), "README"), IsEmpty()) << "nothing reads it";
}

TEST_F(Build, LogsHaveAllOutput) {
  BuildBench::Run run = bench_.build();
  const StageStatus& pre = run.result.environments[0].stages[4];
  EXPECT_EQ(read_file(pre.log).value(), "zlib\napp\n");
  EXPECT_EQ(pre.image, image_of_stage("with-targets-pre"));
  EXPECT_EQ(run.result.environments[0].stages[6].log, "");
}

TEST_F(Build, AnEditedPackageRunsItsStagesInOneContainerAndKeepsOneImage) {
  bench_.build();
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n");
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "built", "built", "built", "built", "built", "not asked for"));
  EXPECT_THAT(run.scripts,
              ElementsAre("uninstall app; other", "bootstrap", "configure",
                          "make base-toolchain:", "make all-sage-local: app", "make build: pyapp"))
      << "uninstalled once, and what hangs on it made again";
  EXPECT_EQ(run.calls.at("create"), 1u);
  EXPECT_EQ(run.calls.at("commit"), 1u);
  EXPECT_EQ(run.calls.at("copy_in"), 1u) << "sources are brought once, a later stage's too";
  EXPECT_FALSE(bench_.snapshot(image_of_stage("with-targets")).clean);
  EXPECT_THAT(bench_.build().calls, Not(Contains(Pair("create", testing::_))));
}

TEST_F(Build, NamesOfStagesThatAnImageHoldsMoveToIt) {
  bench_.build();
  std::string old = bench_.id_of(image_of_stage("configured"));
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n");
  bench_.build();
  std::string now = bench_.id_of(image_of_stage("with-targets"));
  for (const char* stage : {"bootstrapped", "configured", "with-base-toolchain", "with-targets-pre"})
    EXPECT_EQ(bench_.id_of(image_of_stage(stage)), now) << stage;
  EXPECT_NE(bench_.id_of(image_of_stage("with-system-packages")), now);
  EXPECT_NE(old, now);
}

TEST_F(Build, ANewVersionIsMadeWithoutUninstalling) {
  bench_.build();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n");
  EXPECT_THAT(bench_.build().scripts, ElementsAre("bootstrap", "configure", "make base-toolchain:",
                                                  "make all-sage-local: zlib app", "make build: pyapp"));
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).packages.at("zlib").version, "1.3");
}

TEST_F(Build, EditedSourcesRunTheirStageAlone) {
  bench_.build();
  bench_.tree.file("src/code.py", "edited\n").file("src/new.py", "new\n");
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "reused", "reused", "reused", "reused", "built", "not asked for"));
  EXPECT_THAT(run.scripts, ElementsAre("make build:"));
  EXPECT_EQ(bench_.engine.image(image_of_stage("with-targets")).files.at("/sage/src/code.py").content,
            "edited\n");
  bench_.tree.remove("src/new.py");
  EXPECT_THAT(bench_.build().scripts, ElementsAre("rm src/new.py; make build:"));
  EXPECT_THAT(bench_.files(image_of_stage("with-targets"), "src/"),
              ElementsAre("src/bin/tool", "src/code.py"));
}

TEST_F(Build, UnchangedFilesKeepTheirTimes) {
  bench_.build();
  FakeFiles before = bench_.engine.image(image_of_stage("with-targets")).files;
  for (auto& [path, file] : before) file.time = 0;  // whatever they were
  bench_.tree.file("src/code.py", "edited\n");
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.calls.at("copy_in"), 1u);
  FakeFiles after = bench_.engine.image(image_of_stage("with-targets")).files;
  std::vector<std::string> written;
  for (auto& [path, file] : after) {
    file.time = 0;
    if (file != before[path]) written.push_back(path);
  }
  EXPECT_THAT(written, UnorderedElementsAre("/sage/src/code.py", std::string(kManifestPath)));
}

TEST_F(Build, AnImageOfAnEarlierStageMayHoldALaterStagesSources) {
  bench_.build();
  bench_.tree.file("build/pkgs/app/package-version.txt", "2.1\n");
  bench_.targets = {"with-base-toolchain"};
  EXPECT_THAT(bench_.build().scripts, ElementsAre("bootstrap", "configure", "make base-toolchain:"));
  bench_.targets = {"with-targets"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts,
              ElementsAre("make all-sage-local: app", "uninstall pyapp; other", "make build: pyapp"));
  EXPECT_THAT(run.calls, Not(Contains(Pair("copy_in", testing::_))))
      << "they were synced then, and are not taken away and brought back";
}

TEST_F(Build, APackageThatIsNoMoreIsUninstalled) {
  bench_.build();
  bench_.tree.remove("build/pkgs/pyapp");
  // The image of with-targets is chosen only without this one: no more packages are ready in it, and both are
  // equally new.
  bench_.engine.remove_image(image_of_stage("with-targets-pre"));
  EXPECT_THAT(bench_.build().scripts, Contains(HasSubstr("uninstall pyapp")));
  EXPECT_FALSE(bench_.snapshot(image_of_stage("with-targets")).packages.contains("pyapp"));
}

TEST_F(Build, AFolderThatBecomesAFileIsRemovedFirst) {
  bench_.tree.file("src/thing/inner.py", "x\n");
  bench_.build();
  bench_.tree.remove("src/thing").file("src/thing", "a file\n");
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts, ElementsAre("rm src/thing; rm src/thing/inner.py; other", "make build:"));
  EXPECT_EQ(bench_.engine.image(image_of_stage("with-targets")).files.at("/sage/src/thing").content,
            "a file\n");
}

TEST_F(Build, GoingBackToOlderSourcesReusesTheirImages) {
  bench_.build();
  std::string first = bench_.id_of(image_of_stage("with-targets"));
  bench_.tree.file("src/code.py", "edited\n");
  bench_.build();
  EXPECT_NE(bench_.id_of(image_of_stage("with-targets")), first);
  bench_.tree.file("src/code.py", "code\n");
  EXPECT_THAT(bench_.build().scripts, IsEmpty());
  EXPECT_EQ(bench_.id_of(image_of_stage("with-targets")), first) << "and its name means it again";
}

TEST_F(Build, OnAnOlderWayEachStageThatIsAskedForIsKeptFromTheOneContainer) {
  bench_.targets = {"with-targets-pre", "with-targets"};
  bench_.build();
  bench_.tree.file("build/pkgs/app/package-version.txt", "2.1\n");
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.calls.at("create"), 1u);
  EXPECT_EQ(run.calls.at("commit"), 2u);
  BuildBench::Run again = bench_.build();
  EXPECT_THAT(again.scripts, IsEmpty());
  EXPECT_THAT(again.calls, Not(Contains(Pair("tag", testing::_)))) << "all names are where they belong";
  std::string pre = bench_.id_of(image_of_stage("with-targets-pre"));
  EXPECT_NE(pre, bench_.id_of(image_of_stage("with-targets")));
  EXPECT_EQ(bench_.id_of(image_of_stage("configured")), pre) << "of the images that hold it the first";
}

TEST_F(Build, MoreTagsAreAddedToWhatIsReused) {
  bench_.build();
  bench_.tags = {"2", "latest"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.scripts, IsEmpty());
  EXPECT_EQ(run.calls.at("tag"), 12u);
  EXPECT_EQ(bench_.id_of(image_of_stage("configured", "2")), bench_.id_of(image_of_stage("configured", "1")));
  EXPECT_TRUE(bench_.has_image(image_of_stage("with-targets", "latest")));
  EXPECT_THAT(bench_.build().calls, Not(Contains(Pair("tag", testing::_))));
}

TEST_F(Build, ImagesMayStandInARepository) {
  bench_.repository = "ghcr.io/me/";
  bench_.build();
  EXPECT_TRUE(bench_.has_image("ghcr.io/me/" + image_of_stage("configured")));
}

TEST_F(Build, ABuildUpToAStageEndsThere) {
  bench_.targets = {"configured"};
  EXPECT_THAT(bench_.build().states, ElementsAre("built", "built", "built", "not asked for", "not asked for",
                                                 "not asked for", "not asked for"));
  bench_.targets = {"with-targets"};
  EXPECT_THAT(bench_.build().scripts,
              ElementsAre("make base-toolchain: tool", "make all-sage-local: zlib app", "make build: pyapp"));
}

TEST_F(Build, AFreshBuildUsesNothing) {
  bench_.build();
  bench_.settings.fresh = true;
  BuildBench::Run run = bench_.build();
  EXPECT_EQ(run.scripts.size(), 6u);
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
}

TEST_F(Build, AnUnknownStageIsRefusedWithTheOnesThereAre) {
  bench_.targets = {"with-everything"};
  try {
    bench_.build();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_THAT(error.what(),
                HasSubstr("no stage is named with-everything; there are with-system-packages, bootstrapped"));
  }
}

TEST_F(Build, ABaseImageThatIsNotThereIsPulled) {
  bench_.engine.add_to_registry("debian:trixie", {.files = {{"/etc/os", {.content = "trixie"}}}});
  BuildBench::Run run = bench_.build({"debian-trixie-minimal"});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.notes, ElementsAre(HasSubstr("pulling the base image debian:trixie")));
  EXPECT_THAT(bench_.snapshot(image_of_stage("configured", "1", "debian-trixie-minimal")).base_digest,
              testing::StartsWith("sha256:"));
  EXPECT_THAT(bench_.build({"debian-trixie-minimal"}).scripts, IsEmpty());
}

TEST_F(Build, APullIsRetriedWhereAnotherAttemptMayHelp) {
  bench_.engine.add_to_registry("debian:trixie", {.files = {{"/etc/os", {.content = "trixie"}}}});
  bench_.engine.registry().fail("received unexpected HTTP status: 503 Service Unavailable", 2);
  BuildBench::Run run = bench_.build({"debian-trixie-minimal"});
  EXPECT_TRUE(run.result.all_well());
  EXPECT_EQ(run.calls["pull"], 3u);
  EXPECT_THAT(run.notes, testing::Contains(HasSubstr("pulling debian:trixie failed on attempt 2 of 3: ")));
}

TEST_F(Build, APermanentAnswerToAPullIsNotAskedForTwice) {
  bench_.engine.add_to_registry("debian:trixie", {.files = {{"/etc/os", {.content = "trixie"}}}});
  bench_.engine.registry().fail("error parsing HTTP 403 response body: unexpected end of JSON input");
  BuildBench::Run run = bench_.build({"debian-trixie-minimal"});
  EXPECT_FALSE(run.result.all_well());
  EXPECT_EQ(run.calls["pull"], 1u);
}

TEST_F(Build, ManyRunsInARowNeverPassTheLayerLimit) {
  bench_.build();
  unsigned most = 0, squashed = 0, before = 0;
  for (int i = 0; i < 130; ++i) {
    bench_.tree.file("src/code.py", fmt::format("edit {}\n", i));
    ASSERT_THAT(bench_.build().scripts, ElementsAre("make build:"));
    unsigned layers = bench_.engine.image(image_of_stage("with-targets")).layers;
    if (layers < before) ++squashed;
    before = layers;
    most = std::max(most, layers);
    for (const ImageInfo& image : bench_.engine.list_images(std::string(kSchemaLabel), "1"))
      if (image.names.empty()) bench_.engine.remove_image(image.id);  // as `docker image prune` does
  }
  EXPECT_EQ(most, 120u);
  EXPECT_EQ(squashed, 1u);
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).packages.size(), 4u)
      << "labels and files survive";
}

}  // namespace
}  // namespace stagemake
