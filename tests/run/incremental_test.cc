// Builds that continue from a finished image, stagemake's or somebody else's; and what is known after
// configure has run.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kIncremental = "debian-bookworm-minimal-incremental";

class Incremental : public testing::Test {
 protected:
  Incremental() {
    bench_.tree.file("src/old.py", "old\n").file("src/deep/old.py", "old\n").link("src/link", "code.py");
    bench_.tree.file(".dockerignore", "src/build\nlocal\nbuild/make/Makefile\n");
    fs::permissions(bench_.tree.path() / "bootstrap", fs::add_perms | fs::owner_exe | fs::group_exe);
    bench_.build();
  }
  // The finished tree as an image of somebody's `docker build`: nothing in it says what it is.
  void have_image_of_others() {
    FakeImage image = bench_.engine.image(image_of_stage("with-targets"));
    image.labels.clear();
    erase_if(image.files, [](const auto& file) { return file.first.starts_with("/.stagemake"); });
    for (auto& [path, file] : image.files) file.time = 1000;
    image.files["/sage/local/lib/libz.so"] = {.content = "built", .time = 1000};
    image.files["/sage/src/build/made.o"] = {.content = "made", .time = 1000};
    bench_.engine.add_image("others/finished:1", image);
    bench_.given["BASE_IMAGE"] = "others/finished:1";
  }
  void have_image_of_ours() {
    bench_.engine.tag(image_of_stage("with-targets"), "ours/finished:dev");
    bench_.given["BASE_IMAGE"] = "ours/finished:dev";
  }
  BuildBench::Run go_on() { return bench_.build({kIncremental}); }
  FakeFiles result() const { return bench_.engine.image(image_of_stage("with-targets")).files; }

  BuildBench bench_{kSmallDistribution};
};

TEST_F(Incremental, ReadyPackagesOfForeignImagesAreReused) {
  have_image_of_others();
  BuildBench::Run run = go_on();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts,
              ElementsAre("system packages", AllOf(HasSubstr("bootstrap"), Not(HasSubstr("uninstall"))),
                          "configure", "make base-toolchain:", "make all-sage-local:", "make build:"));
  EXPECT_THAT(run.calls, Not(Contains(Key("copy_in")))) << "links and programs are what they are in the tree";
  Snapshot snapshot = bench_.snapshot(image_of_stage("with-targets"));
  EXPECT_EQ(snapshot.environment, kIncremental);
  EXPECT_FALSE(snapshot.clean);
  EXPECT_EQ(snapshot.base_digest, bench_.id_of("others/finished:1"));
  EXPECT_THAT(snapshot.packages, UnorderedElementsAre(Key("tool"), Key("zlib"), Key("app"), Key("pyapp")));
  for (const auto& [name, package] : snapshot.packages) EXPECT_EQ(package.fingerprint.size(), 16u) << name;
}

TEST_F(Incremental, ForeignImagesGetOnlyDifferences) {
  have_image_of_others();
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n").file("src/code.py", "edited\n");
  bench_.tree.remove("src/old.py").remove("src/deep");
  BuildBench::Run run = go_on();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, Contains("uninstall app; other"));
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: app")) << "once uninstalled, and zlib stays";
  EXPECT_THAT(run.scripts, Contains("make build: pyapp"));
  FakeFiles files = result();
  EXPECT_EQ(files.at("/sage/src/code.py").content, "edited\n");
  EXPECT_FALSE(files.contains("/sage/src/old.py"));
  EXPECT_FALSE(files.contains("/sage/src/deep/old.py"));
  EXPECT_TRUE(files.contains("/sage/local/lib/libz.so")) << "what a build made stays";
  EXPECT_TRUE(files.contains("/sage/src/build/made.o")) << "also in a folder of sources";
  EXPECT_EQ(files.at("/sage/build/pkgs/zlib/type").time, 1000) << "what did not change keeps its time";
  EXPECT_GT(files.at("/sage/src/code.py").time, 1000);
}

TEST_F(Incremental, RemovedPackagesAreUninstalledInForeignImages) {
  have_image_of_others();
  bench_.tree.remove("build/pkgs/pyapp");
  BuildBench::Run run = go_on();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, Contains("uninstall pyapp; other"));
  EXPECT_THAT(bench_.snapshot(image_of_stage("with-targets")).packages, Not(Contains(Key("pyapp"))));
}

TEST_F(Incremental, ARecordThatWasCutShortIsNotTrusted) {
  have_image_of_others();
  FakeImage image = bench_.engine.image("others/finished:1");
  image.files.at("/sage/local/var/lib/sage/installed/zlib-1.2").content = "";
  bench_.engine.add_image("others/finished:1", image);
  EXPECT_THAT(go_on().scripts, Contains("uninstall app; uninstall pyapp; uninstall zlib; other"));
}

TEST_F(Incremental, LabelsOfOwnImagesListReadyPackages) {
  have_image_of_ours();
  BuildBench::Run run = go_on();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("system packages", "bootstrap", "configure",
                                       "make base-toolchain:", "make all-sage-local:", "make build:"));
  EXPECT_THAT(run.calls, Not(Contains(Key("copy_in")))) << "the sources are those that it holds";
  EXPECT_FALSE(bench_.snapshot(image_of_stage("with-targets")).clean);
  EXPECT_EQ(bench_.id_of("ours/finished:dev"), bench_.snapshot(image_of_stage("with-targets")).base_digest);
}

TEST_F(Incremental, InAnImageOfOursWhatChangedIsMade) {
  have_image_of_ours();
  bench_.tree.file("build/pkgs/zlib/package-version.txt", "1.3\n").remove("src/old.py");
  bench_.tree.file("build/pkgs/tool/spkg-install.in", "new\n");
  BuildBench::Run run = go_on();
  EXPECT_THAT(run.scripts, Contains("uninstall tool; other"));
  EXPECT_THAT(run.scripts, Contains("make base-toolchain: tool"));
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
  EXPECT_THAT(run.scripts, Contains("make build: pyapp"));
  EXPECT_FALSE(result().contains("/sage/src/old.py"));
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).packages.at("zlib").version, "1.3");
}

// As if the driver is killed in the first stage: the container's labels were written before anything looked
// into it.
TEST_F(Incremental, RemainsOfTheFirstStageAreKnown) {
  for (bool ours : {false, true}) {
    ours ? have_image_of_ours() : have_image_of_others();
    bench_.tree.file("build/pkgs/app/spkg-install.in", fmt::format("edited {}\n", ours)).remove("src/old.py");
    bench_.engine.fail("commit", "no space", 1);
    BuildBench::Run first = go_on();
    EXPECT_TRUE(first.result.engine_failed);
    EXPECT_THAT(first.scripts, Contains("uninstall app; other")) << ours;
    EXPECT_EQ(bench_.engine.container_names().size(), 1u);
    BuildBench::Run run = go_on();
    EXPECT_TRUE(run.result.all_well());
    EXPECT_THAT(run.scripts, testing::Not(Contains("uninstall app; other")))
        << "what the first run found in the image, and did with it, is written down: " << ours;
    EXPECT_THAT(run.scripts, Contains("make all-sage-local: app")) << ours;
    EXPECT_FALSE(result().contains("/sage/src/old.py"));
    bench_.tree.file("src/old.py", "old\n");
  }
}

TEST_F(Incremental, AnImageOfOursThatLostItsManifestIsLookedAt) {
  FakeImage image = bench_.engine.image(image_of_stage("with-targets"));
  image.files[std::string(kManifestPath)].content = "garbled";
  bench_.engine.add_image("ours/damaged:dev", image);
  bench_.given["BASE_IMAGE"] = "ours/damaged:dev";
  fs::remove_all(bench_.state.root() / "manifests");
  bench_.tree.file("src/code.py", "edited\n").remove("src/old.py");
  EXPECT_TRUE(go_on().result.all_well());
  EXPECT_EQ(result().at("/sage/src/code.py").content, "edited\n");
  EXPECT_FALSE(result().contains("/sage/src/old.py"));
}

TEST_F(Incremental, ASecondRunReusesTheFirst) {
  for (bool ours : {false, true}) {
    ours ? have_image_of_ours() : have_image_of_others();
    go_on();
    BuildBench::Run again = go_on();
    EXPECT_THAT(again.scripts, IsEmpty());
    EXPECT_THAT(again.calls, Not(Contains(Key("create"))));
  }
}

TEST_F(Incremental, ALaterEditContinuesFromItsOwnImage) {
  have_image_of_others();
  go_on();
  bench_.tree.file("src/code.py", "edited\n");
  BuildBench::Run run = go_on();
  EXPECT_THAT(run.scripts, ElementsAre("make build:"));
  EXPECT_EQ(result().at("/sage/src/code.py").content, "edited\n");
}

TEST_F(Incremental, AFailureIsKeptAndContinued) {
  have_image_of_others();
  bench_.tree.file("build/pkgs/app/spkg-install.in", "edited\n");
  bench_.failing = {"app"};
  EXPECT_FALSE(go_on().result.all_well());
  bench_.failing = {};
  BuildBench::Run run = go_on();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, Each(Not(HasSubstr("zlib")))) << "which is ready all the time";
  EXPECT_THAT(run.scripts, Contains(HasSubstr("make all-sage-local: app")));
}

// Names in a registry that does not answer: it is asked for the names that exist.
TEST_F(Incremental, AMissingImageIsReportedWithTheExistingOnes) {
  const std::string mine = "127.0.0.1:1/me/sage-x-with-targets:";
  for (const std::string& name : {mine + "dev", mine + "1", std::string("127.0.0.1:1/me/a-first:1"),
                                  std::string("127.0.0.1:1/you/x:1")})
    bench_.engine.add_image(name, {});
  bench_.given["BASE_IMAGE"] = mine + "2";
  BuildBench::Run run = go_on();
  EXPECT_FALSE(run.result.all_well());
  EXPECT_FALSE(run.result.engine_failed);
  EXPECT_THAT(run.result.environments[0].stages[0].detail,
              AllOf(HasSubstr("the base image " + mine + "2 is not on this machine"),
                    HasSubstr("there are, under 127.0.0.1:1/me/: " + mine + "1, " + mine +
                              "dev, 127.0.0.1:1/me/a-first:1"),
                    HasSubstr("FROM_DOCKER_REPOSITORY"), Not(HasSubstr("/you/"))))
      << "other tags of it first";
  EXPECT_THAT(run.scripts, IsEmpty());
  EXPECT_THAT(bench_.engine.container_names(), IsEmpty());
}

TEST_F(Incremental, MissingImagesAreListedUpToTen) {
  bench_.given["BASE_IMAGE"] = "nobody/none:2";
  EXPECT_THAT(go_on().result.environments[0].stages[0].detail,
              HasSubstr("on this machine is nothing under nobody/"));
  for (int i = 0; i < 13; ++i) bench_.engine.add_image(fmt::format("many/image-{}:1", i), {});
  bench_.given["BASE_IMAGE"] = "many/none:2";
  EXPECT_THAT(go_on().result.environments[0].stages[0].detail, HasSubstr(" and 3 more"));
  bench_.given["BASE_IMAGE"] = "none:2";
  EXPECT_THAT(go_on().result.environments[0].stages[0].detail,
              AllOf(HasSubstr("without a repository: "), HasSubstr("debian:bookworm")));
}

// --- After configure has run

class Configured : public testing::Test {
 protected:
  Configured() { bench_.makefile = "DUMMY_PACKAGES = zlib gone\nOPTIONAL_INSTALLED_PACKAGES = tool\n"; }
  BuildBench bench_{kSmallDistribution};
  const ConfiguredPackages decided_{{"zlib", "gone"}, {"tool"}};
};

TEST_F(Configured, ThePlanIsAnUpperBoundAtFirstAndThenExact) {
  BuildBench::Run first = bench_.build();
  EXPECT_FALSE(first.exact);
  EXPECT_THAT(first.planned, Contains("zlib"));
  EXPECT_THAT(first.scripts, Contains("make all-sage-local: app")) << "as make does";
  BuildBench::Run second = bench_.build();
  EXPECT_TRUE(second.exact);
  EXPECT_THAT(second.planned, UnorderedElementsAre("tool", "app", "pyapp"));
  EXPECT_THAT(second.scripts, IsEmpty()) << "keys do not depend on it";
}

TEST_F(Configured, LaterImagesRecordTheDecision) {
  bench_.build();
  for (const char* stage : {"with-system-packages", "bootstrapped"})
    EXPECT_EQ(bench_.snapshot(image_of_stage(stage)).configured, std::nullopt) << stage;
  for (const char* stage : {"configured", "with-base-toolchain", "with-targets-pre", "with-targets"})
    EXPECT_EQ(bench_.snapshot(image_of_stage(stage)).configured, decided_) << stage;
}

TEST_F(Configured, TheStateFolderKnowsItWhereTheImagesAreGone) {
  bench_.build();
  std::string key = bench_.snapshot(image_of_stage("configured")).key();
  EXPECT_EQ(bench_.state.configured(key), decided_);
  EXPECT_EQ(bench_.state.configured(std::string(64, '0')), std::nullopt);
  EXPECT_EQ(bench_.state.configured("../" + key), std::nullopt);
  for (const ImageInfo& image : bench_.engine.list_images(std::string(kSchemaLabel), "1"))
    bench_.engine.remove_image(image.id);
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.exact);
  EXPECT_EQ(run.scripts.size(), 6u);
  write_file(bench_.state.root() / "configured" / key, "garbled");
  EXPECT_EQ(bench_.state.configured(key), std::nullopt);
}

TEST_F(Configured, TheImagesKnowItWhereTheStateFolderIsGone) {
  bench_.build();
  fs::remove_all(bench_.state.root() / "configured");
  EXPECT_TRUE(bench_.build().exact);
}

TEST_F(Configured, OtherArgumentsAreDecidedAnew) {
  bench_.build();
  bench_.given["EXTRA_CONFIGURE_ARGS"] = "--without-system-zlib";
  bench_.makefile = "DUMMY_PACKAGES =\n";
  BuildBench::Run run = bench_.build();
  EXPECT_FALSE(run.exact);
  EXPECT_THAT(run.scripts, Contains("make all-sage-local: zlib app"));
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).configured, ConfiguredPackages());
  EXPECT_THAT(bench_.build().planned, Contains("zlib"));
}

TEST_F(Configured, GoingOnInAnOlderImageDecidesAnewToo) {
  bench_.build();
  bench_.tree.file("build/pkgs/app/package-version.txt", "2.1\n");
  bench_.makefile = "DUMMY_PACKAGES = tool\n";
  BuildBench::Run run = bench_.build();
  EXPECT_FALSE(run.exact);
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).configured, (ConfiguredPackages{{"tool"}, {}}));
  EXPECT_TRUE(bench_.build().exact);
}

TEST_F(Configured, AConfigureThatWritesNothingLeavesThePlanABound) {
  bench_.makefile.reset();
  bench_.build();
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets")).configured, std::nullopt);
  EXPECT_FALSE(bench_.build().exact);
}

}  // namespace
}  // namespace stagemake
