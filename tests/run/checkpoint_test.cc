// Images of a stage that are made while it runs.
#include <gmock/gmock.h>

#include "plan/planned_tree.h"
#include "run/build_bench.h"
#include "run/container/build_container.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kPartial = image_of_stage("with-targets-pre", "1-failed");

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    bench_.clock.by_hand = true;
    bench_.options.checkpoint = 1800;
    // Before `app` is built, zlib is finished.
    bench_.before = [this](const FakeContainer& container, const std::string& package, std::stop_token) {
      if (package != "app") return;
      container_ = container.name;
      bench_.clock.ring();
      if (seen) seen();
    };
    bench_.engine.on_pause = [this](const std::string&, bool paused) { pauses_.push_back(paused); };
  }
  std::vector<std::string> unfinished() {
    std::vector<std::string> ids;
    for (const ImageInfo& image : bench_.engine.list_images("org.stagemake.complete", "false"))
      ids.push_back(image.id);
    return ids;
  }
  std::vector<std::string> notes(const BuildBench::Run& run, const std::string& part) const {
    std::vector<std::string> some;
    for (const std::string& note : run.notes)
      if (note.find(part) != std::string::npos) some.push_back(note);
    return some;
  }

  BuildBench bench_{kSmallDistribution};
  std::function<void()> seen;  // called after the first checkpoint
  std::string container_;
  std::vector<bool> pauses_;
};

TEST_F(CheckpointTest, CheckpointsContainFinishedPackages) {
  std::optional<Snapshot> checkpoint;
  seen = [&] { checkpoint = bench_.snapshot(kPartial); };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  ASSERT_TRUE(checkpoint);
  EXPECT_FALSE(checkpoint->complete);
  EXPECT_EQ(checkpoint->stage, "with-targets-pre");
  EXPECT_EQ(checkpoint->checkpoint_of, container_);
  ASSERT_THAT(checkpoint->packages, SizeIs(2));
  EXPECT_FALSE(checkpoint->packages.at("zlib").fingerprint.empty());
  EXPECT_THAT(pauses_, ElementsAre(true, false));
  EXPECT_THAT(notes(run, "checkpoint of"),
              ElementsAre(AllOf(HasSubstr("debian-bookworm-minimal with-targets-pre: paused "),
                                HasSubstr(", 2 packages, "))));
  // The stage's own image has replaced it.
  EXPECT_FALSE(bench_.has_image(kPartial));
  EXPECT_THAT(unfinished(), IsEmpty());
  EXPECT_EQ(bench_.snapshot(image_of_stage("with-targets-pre")).checkpoint_of, "");
}

TEST_F(CheckpointTest, TheNextRunElsewhereContinuesFromIt) {
  FakeImage saved;
  seen = [&] { saved = bench_.engine.image(kPartial); };
  bench_.build();
  for (const ImageInfo& image : bench_.engine.list_images(std::string(kSchemaLabel), ""))
    bench_.engine.remove_image(image.id);
  bench_.engine.add_image(kPartial, saved);
  bench_.options.checkpoint.reset();
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(run.scripts, ElementsAre("make all-sage-local: app", "make build: pyapp"));
}

TEST_F(CheckpointTest, ALaterOneReplacesIt) {
  bench_.tree.file("build/pkgs/zz/type", "standard\n");
  bench_.tree.file("build/pkgs/zz/dependencies", "app\n");
  std::vector<std::size_t> counts;
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package.empty() || package == "pyapp") return;
    bench_.clock.ring();
    counts.push_back(unfinished().size());
  };
  BuildBench::Run run = bench_.build();
  EXPECT_TRUE(run.result.all_well());
  EXPECT_THAT(counts, ElementsAre(0, 0, 1, 1)) << "nothing is finished yet, then one takes the other's place";
  EXPECT_THAT(notes(run, "checkpoint of"), SizeIs(2));
  EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(CheckpointTest, NothingNewMakesNone) {
  seen = [&] {
    bench_.clock.ring();
    bench_.clock.ring();
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(notes(run, "checkpoint of"), SizeIs(1));
  EXPECT_THAT(pauses_, ElementsAre(true, false, true, false, true, false));
}

TEST_F(CheckpointTest, AStageThatMakesNoPackagesHasNone) {
  bench_.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
    if (package.empty()) bench_.clock.ring();
  };
  bench_.build();
  EXPECT_THAT(pauses_, IsEmpty());
}

TEST_F(CheckpointTest, FailuresAreReportedAndHarmless) {
  for (const char* verb : {"pause", "resume", "commit", "tag"}) {
    BuildBench bench{kSmallDistribution};
    bench.clock.by_hand = true;
    bench.options.checkpoint = 60;
    bench.before = [&](const FakeContainer&, const std::string& package, std::stop_token) {
      if (package != "app") return;
      bench.engine.fail(verb, "no space left on device", 1);
      bench.clock.ring();
      bench.engine.mend(verb);
    };
    BuildBench::Run run = bench.build();
    EXPECT_TRUE(run.result.all_well()) << verb;
    bool is_mended = std::string(verb) == "resume";  // resume was retried
    EXPECT_THAT(notes(run, "no checkpoint could be made: fake"), SizeIs(is_mended ? 0 : 1)) << verb;
    EXPECT_THAT(bench.engine.container_names(), IsEmpty()) << verb;
  }
}

TEST_F(CheckpointTest, AStopEndsThePauseAndTheHalfImage) {
  std::stop_source stop;
  bench_.options.stop = stop.get_token();
  bench_.engine.on_pause = [&](const std::string&, bool paused) {
    pauses_.push_back(paused);
    if (!paused || stop.stop_requested()) return;
    stop.request_stop();
    bench_.clock.ring();  // this caller does not wait for the engine
    EXPECT_THAT(pauses_, ElementsAre(true, false));
  };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(notes(run, "checkpoint of"), IsEmpty());
  EXPECT_EQ(run.states[4], "interrupted");
  EXPECT_THAT(unfinished(), SizeIs(1)) << "the stage's own";
  EXPECT_EQ(bench_.snapshot(kPartial).checkpoint_of, "");
}

TEST_F(CheckpointTest, AFailedStagesImageTakesItsPlace) {
  bench_.failing = {"app"};
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(notes(run, "checkpoint of"), SizeIs(1));
  EXPECT_EQ(run.states[4], "failed");
  EXPECT_THAT(unfinished(), SizeIs(1));
  EXPECT_EQ(bench_.snapshot(kPartial).checkpoint_of, "");
}

TEST_F(CheckpointTest, TheNameStaysWithWhatHoldsMore) {
  bench_.tree.file("build/pkgs/lone/type", "standard\n");
  bench_.failing = {"app"};
  bench_.options.checkpoint.reset();
  bench_.build();
  std::string richer = bench_.id_of(kPartial);
  ASSERT_THAT(bench_.snapshot(kPartial).packages, SizeIs(3));
  bench_.failing.clear();
  bench_.settings.fresh = true;
  bench_.options.checkpoint = 60;
  std::string named;
  seen = [&] { named = bench_.id_of(kPartial); };
  BuildBench::Run run = bench_.build();
  EXPECT_THAT(notes(run, "checkpoint of"), SizeIs(1));
  EXPECT_EQ(named, richer);
}

}  // namespace
}  // namespace stagemake
