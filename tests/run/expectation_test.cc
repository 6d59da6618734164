// What a run predicts before it starts and while it runs: durations of stages, packages to make, and what
// dead runs left.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/images/remote_snapshots.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Expectation : public testing::Test {
 protected:
  // The last expectation reported for a stage.
  StageExpectation last(std::size_t stage) {
    StageExpectation found;
    for (const RecordingReporter::Expected& one : bench_.reporter.expectations)
      if (one.at.stage == stage) found = one.what;
    return found;
  }
  std::vector<std::string> makes(std::size_t stage) {
    std::vector<std::string> names;
    for (const ExpectedPackage& one : last(stage).makes) names.push_back(one.name);
    return names;
  }

  BuildBench bench_{
      "zlib standard 1.2\n"
      "one standard 1: zlib\n"
      "two standard 1: zlib\n"
      "three standard 1: zlib\n"
      "pyapp standard 3.0: one\n"
      "pyapp/trees.txt = SAGE_VENV\n"
      "_prereq/distros/debian.txt = gcc\n"
      "_bootstrap/distros/debian.txt = autoconf\n"
      "/VERSION.txt = Small version 1.0, released today\n"
      "/bootstrap = #!/bin/sh\n"
      "/configure.ac = AC_INIT\n"
      "/src/code.py = code\n"};
  static constexpr std::size_t kPre = 4;  // with-targets-pre
};

TEST_F(Expectation, AStageTakesWhatItsPackagesTakeOnTheSlotsThereAre) {
  bench_.options.predicted_slots = 1;
  BuildBench::Run run = bench_.build();
  EXPECT_DOUBLE_EQ(run.result.environments[0].expected[kPre].seconds,
                   run.result.environments[0].expected[kPre].work);
  EXPECT_GE(run.result.environments[0].expected[kPre].seconds, 4 * kUnknownPackage);
  bench_.settings.fresh = true;
  bench_.options.predicted_slots = 8;
  run = bench_.build();
  EXPECT_LT(run.result.environments[0].expected[kPre].seconds, 3 * kUnknownPackage)
      << "zlib, and three at once";
  EXPECT_GE(run.result.environments[0].expected[kPre].work, 4 * kUnknownPackage);
}

TEST_F(Expectation, WhenAStageBeginsItsPackagesAreNamedWithWhatTheyNeed) {
  bench_.build();
  EXPECT_THAT(makes(kPre), ElementsAre("zlib", "one", "three", "two"));
  EXPECT_THAT(last(kPre).makes[3].needs, ElementsAre(0u));
  EXPECT_EQ(last(kPre).packages, 4u);
}

// The reported fault: "9 of 23" when it was 17.
TEST_F(Expectation, AfterConfigureCountsAreExact) {
  bench_.makefile = "DUMMY_PACKAGES = zlib two\n";
  BuildBench::Run run = bench_.build();
  EXPECT_FALSE(run.exact);
  EXPECT_EQ(run.result.environments[0].expected[kPre].packages, 2u);
  EXPECT_THAT(makes(kPre), ElementsAre("one", "three"));
  EXPECT_THAT(makes(kPre + 1), ElementsAre("pyapp"));
  // Also if configure's container continues, without a separate image.
  bench_.tree.file("build/pkgs/one/package-version.txt", "2\n");
  bench_.makefile = "DUMMY_PACKAGES = zlib two three\n";
  run = bench_.build();
  EXPECT_THAT(run.states,
              ElementsAre("reused", "built", "built", "built", "built", "built", "not asked for"));
  EXPECT_THAT(makes(kPre), ElementsAre("one"));
}

TEST_F(Expectation, AfterConfigureNothingIsAtMost) {
  bench_.makefile = "DUMMY_PACKAGES = zlib\n";
  std::stop_source stop;
  bench_.options.stop = stop.get_token();
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package == "two") stop.request_stop();
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(run.notes.back(),
              HasSubstr("4 of 6 stages and 2 of 4 packages are done, 2 remain (pyapp, two)"));
}

TEST_F(Expectation, TheFirstStageNeedsTheRoomItAdded) {
  bench_.engine.add_image("debian:bookworm",
                          {.files = {{"/base", {.content = std::string(1'000'000, 'x')}}}});
  bench_.before = [](const FakeContainer& container, const std::string&, std::stop_token) {
    const_cast<FakeContainer&>(container).files["/added"] = {.content = std::string(1000, 'y')};
  };
  bench_.build();
  std::vector<JournalStage> stages = bench_.journal.read().stages;
  ASSERT_THAT(stages, testing::Not(IsEmpty()));
  EXPECT_EQ(stages[0].stage, "with-system-packages");
  EXPECT_GE(stages[0].bytes, 1000u);
  EXPECT_LT(stages[0].bytes, 10'000u);
}

TEST_F(Expectation, TheEndOfARunIsThatOfItsPushes) {
  bench_.push_repository = bench_.repository = "r.example/";
  bench_.build();
  EXPECT_EQ(bench_.reporter.ended, 1u);
  std::size_t pushed = 0;
  for (std::size_t i = 0; i < bench_.reporter.notes_before_end; ++i)
    pushed += bench_.reporter.notes[i].starts_with("pushed ") ? 1 : 0;
  EXPECT_EQ(pushed, 6u);
}

// --- Dead runs.

TEST_F(Expectation, ReadOnlyCommandsReportContainersOfDeadRuns) {
  EXPECT_THAT(bench_.left().snapshots, IsEmpty());
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package != "two") return;
    bench_.engine.fail("commit", "the daemon went away");
    throw EngineError("the daemon went away");
  };
  bench_.build();
  ASSERT_THAT(bench_.engine.container_names(), SizeIs(1));
  LeftWork left = bench_.left();
  ASSERT_THAT(left.snapshots, SizeIs(1));
  EXPECT_EQ(left.snapshots[0].stage, "with-targets-pre");
  EXPECT_EQ(left.snapshots[0].container, bench_.engine.container_names()[0]);
  EXPECT_TRUE(left.snapshots[0].packages.contains("one"));
  EXPECT_FALSE(left.snapshots[0].packages.contains("two"));
  EXPECT_THAT(left.notes, ElementsAre(HasSubstr("a run ended without saving its work in with-targets-pre")));
  EXPECT_THAT(bench_.engine.container_names(), SizeIs(1)) << "nothing was changed";
  EXPECT_THAT(bench_.left({"debian-trixie-minimal"}).snapshots, IsEmpty());
  std::optional<FileLock> living =
      FileLock::try_take(bench_.state.environment_lock("debian-bookworm-minimal"));
  left = bench_.left();
  EXPECT_THAT(left.snapshots, IsEmpty());
  EXPECT_THAT(left.notes, ElementsAre(HasSubstr("is building it now")));
}

// --- The size of a fetch.

TEST(FetchSize, LayersThatAreHereAreNotFetched) {
  Snapshot remote;
  remote.reference = "r/x@sha256:1";
  remote.layer_ids = {"base", "system", "more"};
  remote.layer_sizes = {100, 20, 3};
  remote.size = remote.fetch_size = 123;
  auto size_with = [&](const std::vector<std::vector<std::string>>& here) {
    std::vector<Snapshot> all{remote};
    set_fetch_sizes(all, here);
    return all[0].fetch_size;
  };
  EXPECT_EQ(size_with({}), 123u);
  EXPECT_EQ(size_with({{"base"}}), 23u);
  EXPECT_EQ(size_with({{"base", "other"}, {"base", "system"}}), 3u);
  EXPECT_EQ(size_with({{"base", "system", "more", "and more"}}), 0u);
  EXPECT_EQ(size_with({{"other", "base"}, {"system", "more"}, {}}), 123u)
      << "a layer lies on what is below it";
  remote.layer_sizes = {1};
  EXPECT_EQ(size_with({{"base"}}), 123u) << "what does not fit is not known";
}

TEST(FetchSize, IsWhatTheRegistrySaysOfLayersAndTheirContent) {
  Snapshot snapshot{.distribution = "D", .environment = "e", .stage = "s", .lineage = {{"s", "k", {}}}};
  RegistryImage image{.name = "r/x:1", .digest = "sha256:1", .labels = to_labels(snapshot), .size = 120};
  image.layers = {{"sha256:a", 100}, {"sha256:b", 20}};
  image.layer_ids = {"sha256:A", "sha256:B"};
  Snapshot found = snapshot_in(image).value();
  EXPECT_THAT(found.layer_ids, ElementsAre("sha256:A", "sha256:B"));
  EXPECT_THAT(found.layer_sizes, ElementsAre(100u, 20u));
  EXPECT_EQ(found.fetch_size, 120u);
  image.layer_ids = {"sha256:A"};
  EXPECT_THAT(snapshot_in(image).value().layer_sizes, IsEmpty());
}

}  // namespace
}  // namespace stagemake
