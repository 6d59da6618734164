// Making room: what is removed from an engine, what the journal records about it, and what keeps an image
// there.
#include "run/images/gc.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "base/error.h"
#include "plan/planned_tree.h"
#include "run/build/prepare.h"
#include "run/build_bench.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kEnvironment = "debian-bookworm-minimal";

class Gc : public testing::Test {
 protected:
  // Two clean builds from different sources: the images of the first one have lost their tags to the second.
  void build_twice(const std::string& second_tag = "1") {
    bench_.build();
    first_ = ids();
    bench_.tree.file("src/code.py", "other code");
    bench_.settings.fresh = true;
    bench_.tags = {second_tag};
    bench_.build();
    bench_.settings.fresh = false;
  }
  std::set<std::string> ids() {
    std::set<std::string> all;
    for (const Snapshot& snapshot : find_snapshots(bench_.engine, table_)) all.insert(snapshot.image);
    return all;
  }
  GcResult collect(const EvictionPolicy& policy = {}, bool dry_run = false) {
    told_.clear();
    return collect_garbage(bench_.engine, bench_.state, table_, journal_,
                           {.policy = policy, .dry_run = dry_run, .now = 2'000'000'000},
                           [&](const GcEntry& entry) { told_.push_back(entry.image.stage); });
  }

  BuildBench bench_{kSmallDistribution};
  StageTable table_ = stage_table_of(bench_.tree.path(), ReadTree(bench_.tree).packages.features(), {});
  Journal journal_{bench_.state.journal()};
  std::set<std::string> first_;  // images of the first build
  std::vector<std::string> told_;
};

TEST_F(Gc, SupersededImagesAreRemovedAndRecorded) {
  build_twice();
  GcResult result = collect();
  EXPECT_THAT(told_, ElementsAre("with-targets", "with-targets-pre", "with-base-toolchain", "configured",
                                 "bootstrapped", "with-system-packages"));
  EXPECT_THAT(result.evicted, SizeIs(6));
  EXPECT_THAT(result.kept, SizeIs(6));
  EXPECT_GT(result.freed, 0u);
  EXPECT_EQ(result.unmet, "");
  for (const std::string& id : ids()) EXPECT_FALSE(first_.contains(id));
  JournalContents known = journal_.read();
  ASSERT_THAT(known.evictions, SizeIs(6));
  EXPECT_EQ(known.evictions[0].when, 2'000'000'000);
  EXPECT_THAT(known.evictions[0].why, HasSubstr("gc: superseded: "));
  const Snapshot& gone = result.evicted[0].image;
  EXPECT_EQ(evicted(known, kEnvironment, "with-targets", gone.key())->image, gone.image.substr(7, 12));
  EXPECT_THAT(collect().evicted, IsEmpty());
  EXPECT_THAT(bench_.build().scripts, IsEmpty()) << "what is needed is there";
}

TEST_F(Gc, ADryRunTouchesNothing) {
  build_twice();
  std::set<std::string> before = ids();
  auto calls = bench_.engine.calls();
  GcResult result = collect({}, true);
  EXPECT_THAT(result.evicted, SizeIs(6));
  EXPECT_THAT(told_, SizeIs(6));
  EXPECT_EQ(ids(), before);
  EXPECT_EQ(bench_.engine.calls()["remove_image"], calls["remove_image"]);
  EXPECT_THAT(journal_.read().evictions, IsEmpty());
  EXPECT_FALSE(fs::exists(bench_.state.environment_lock(kEnvironment)));
}

TEST_F(Gc, LockedEnvironmentsAreSkipped) {
  build_twice();
  std::optional<FileLock> held = FileLock::try_take(bench_.state.environment_lock(kEnvironment));
  GcResult result = collect({.max_size = 0});
  EXPECT_THAT(result.evicted, IsEmpty());
  EXPECT_THAT(result.locked[kEnvironment], AllOf(HasSubstr("process "), HasSubstr(kEnvironment)));
  EXPECT_THAT(collect({}, true).evicted, IsEmpty());
  held = FileLock::try_take(bench_.state.root() / "another-tree" / "locks" / kEnvironment);
  EXPECT_THAT(collect().evicted, IsEmpty()) << "another tree of this distribution";
  held.reset();
  EXPECT_THAT(collect().evicted, SizeIs(6));
}

TEST_F(Gc, TheLockIsHeldWhileImagesGo) {
  build_twice();
  unsigned held = 0;
  collect_garbage(bench_.engine, bench_.state, table_, journal_, {.now = 2'000'000'000}, [&](const GcEntry&) {
    held += !FileLock::try_take(bench_.state.environment_lock(kEnvironment)).has_value();
  });
  EXPECT_EQ(held, 6u);
  EXPECT_TRUE(FileLock::try_take(bench_.state.environment_lock(kEnvironment)));
}

TEST_F(Gc, ImagesOfContainersKeepAllNames) {
  bench_.tags = {"1", "also"};
  build_twice("2");
  bench_.engine.create({.name = "user", .image = image_of_stage("with-targets-pre", "1")});
  GcResult result = collect({.max_size = 0});
  EXPECT_THAT(told_, ElementsAre("with-targets")) << "what it lies on stays as well";
  EXPECT_THAT(result.unmet, HasSubstr("--max-size 0 B cannot be met"));
  for (const char* tag : {"1", "also"}) {
    EXPECT_TRUE(bench_.has_image(image_of_stage("with-targets-pre", tag)));
    EXPECT_FALSE(bench_.has_image(image_of_stage("with-targets", tag)));
  }
  EXPECT_THAT(result.kept, Contains(Field(&GcEntry::why, HasSubstr("a container"))));
  bench_.engine.remove_container("user");
  EXPECT_THAT(collect({.max_size = 0}).evicted, SizeIs(5));
}

TEST_F(Gc, OpenPartialsStayWhateverTheLimit) {
  bench_.failing = {"app"};
  bench_.build();
  GcResult result = collect({.max_size = 0});
  EXPECT_THAT(result.evicted, IsEmpty());
  EXPECT_TRUE(bench_.has_image(image_of_stage("with-targets-pre", "1-failed")));
  bench_.failing.clear();
  EXPECT_THAT(bench_.build().scripts, Contains("make all-sage-local: app")) << "zlib was kept";
}

TEST_F(Gc, FreeSpaceIsThatOfTheEnginesFileSystem) {
  build_twice("2");
  EXPECT_THROW(collect({.min_free = 1}), Error) << "it is not on this machine";
  bench_.engine.storage = bench_.state.root();
  EXPECT_THAT(collect({.min_free = 1}).evicted, IsEmpty());
  GcResult all = collect({.min_free = 1'000'000'000'000'000'000});
  EXPECT_THAT(all.evicted, SizeIs(6));
  EXPECT_THAT(all.unmet, HasSubstr("--min-free 1.0 EB cannot be met"));
}

TEST_F(Gc, AnUnwritableJournalStopsNothing) {
  build_twice();
  fs::remove(bench_.state.journal());
  fs::create_directories(bench_.state.journal());
  EXPECT_THAT(collect().evicted, SizeIs(6));
  EXPECT_TRUE(journal_.untold_problem().has_value());
}

TEST_F(Gc, InvalidEnvironmentLabelsCreateNoFiles) {
  build_twice();
  Snapshot strange = bench_.snapshot(image_of_stage("with-targets"));
  std::string name = fmt::format("stagemake-gc-test-{}", ::getpid());  // nobody else's file
  strange.environment = "../../" + name;
  bench_.engine.add_image("", {.labels = to_labels(strange), .created = 1});
  bench_.engine.add_image("strange:1", {.labels = to_labels(strange)});
  GcResult result = collect();
  EXPECT_THAT(result.locked["../../" + name], HasSubstr("not a valid environment name"));
  EXPECT_THAT(result.evicted, SizeIs(6));
  EXPECT_FALSE(fs::exists(bench_.state.root().parent_path() / name));
}

}  // namespace
}  // namespace stagemake
