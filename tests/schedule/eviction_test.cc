// Which images are evicted, in which order, and why the others stay.
#include "schedule/eviction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kDaySeconds = 86'400;

class EvictionTest : public testing::Test {
 protected:
  // A stage's image, made in one line, with a name; `layers` starts at the base, one letter per layer.
  Snapshot& have(const std::string& id, const std::string& stage, const std::string& layers,
                 std::uint64_t size, std::int64_t created, const std::string& environment = "a-minimal") {
    Snapshot snapshot;
    snapshot.image = id;
    snapshot.names = {fmt::format("sage-{}-{}:{}", environment, stage, id)};
    snapshot.created = created;
    snapshot.size = size;
    for (char layer : layers) snapshot.layer_ids.emplace_back(1, layer);
    snapshot.environment = environment;
    snapshot.stage = stage;
    snapshot.complete = true;
    for (std::size_t at : table_.chain(table_.find(stage).value())) {
      const std::string& held = table_.stages[at].name;
      snapshot.lineage.push_back({held, held == stage ? "key of " + id : "key of " + held, {}});
    }
    return snapshots_.emplace_back(std::move(snapshot));
  }
  // The whole chain of an environment: S, C and T, of 100, 50 and 250 bytes, on a base of 60.
  void have_chain() {
    have("S", "with-system-packages", "bs", 160, 1000);
    have("C", "configured", "bsc", 210, 1001);
    have("T", "with-targets", "bsct", 460, 1002);
    base_ = {{{"b"}, 60}};
  }

  EvictionPlan plan(const EvictionPolicy& policy = {}) {
    Predictions predictions(seen_);
    SnapshotList shared = share(snapshots_);
    return plan_evictions({.snapshots = shared,
                           .table = table_,
                           .predictions = predictions,
                           .base_images = base_,
                           .environments = environments_,
                           .locked = locked_,
                           .in_use = in_use_,
                           .free = free_,
                           .now = now_},
                          policy);
  }
  static std::vector<std::string> gone(const EvictionPlan& plan) {
    std::vector<std::string> ids;
    for (const ChosenEviction& one : plan.evictions) ids.push_back(one.image->image);
    return ids;
  }
  static std::string why_kept(const EvictionPlan& plan, const std::string& id) {
    for (const KeptImage& one : plan.kept)
      if (one.image->image == id) return one.why;
    return "not kept";
  }
  void takes(const std::string& package, double seconds, const std::string& environment = "a-minimal") {
    seen_.packages.push_back({environment, package, seconds, 1});
  }

  StageTable table_ = built_in_stages(TreeFeatures::of_sage98());
  std::vector<Snapshot> snapshots_;
  std::vector<BaseImage> base_;
  std::set<std::string> environments_;
  std::map<std::string, std::string> locked_;
  std::set<std::string> in_use_;
  std::optional<std::uint64_t> free_;
  std::int64_t now_ = 100 * kDaySeconds;
  Observations seen_;
};

TEST_F(EvictionTest, WithoutSupersededImagesNothingIsRemoved) {
  have_chain();
  have("T0", "with-targets", "bscu", 300, 900);
  EvictionPlan nothing = plan();
  EXPECT_THAT(gone(nothing), IsEmpty());
  EXPECT_EQ(nothing.freed, 0u);
  EXPECT_EQ(nothing.left, 100u + 50 + 250 + 90);
  EXPECT_EQ(nothing.unmet, "");
  EXPECT_EQ(why_kept(nothing, "S"), "the newest complete image of with-system-packages alone");
  EXPECT_EQ(why_kept(nothing, "T"), "the newest complete image of with-system-packages");
  EXPECT_EQ(why_kept(nothing, "T0"), "it is not superseded");
}

TEST_F(EvictionTest, AnOlderImageWithoutANameGoes) {
  have_chain();
  have("T0", "with-targets", "bscu", 300, 900).names.clear();
  EvictionPlan some = plan();
  EXPECT_THAT(gone(some), ElementsAre("T0"));
  EXPECT_EQ(some.freed, 90u) << "the layers of C stay";
  EXPECT_EQ(some.left, 400u);
  EXPECT_EQ(some.evictions[0].why,
            "superseded: no name points to it, and sage-a-minimal-with-targets:T is newer");
  snapshots_.back().created = 1003;
  EXPECT_THAT(gone(plan()), IsEmpty()) << "it is the newest";
  snapshots_.back().created = 900;
  snapshots_[snapshots_.size() - 2].created = now_ + 1;
  EXPECT_THAT(gone(plan()), IsEmpty()) << "the clock was set back: the other may be the older one";
}

TEST_F(EvictionTest, ParentsOfOtherImagesStay) {
  have("T0", "with-targets", "bt", 300, 900).names.clear();
  have("T", "with-targets", "btu", 310, 1000);
  EvictionPlan nothing = plan();
  EXPECT_THAT(gone(nothing), IsEmpty());
  EXPECT_EQ(why_kept(nothing, "T0"), "sage-a-minimal-with-targets:T is built on it");
}

TEST_F(EvictionTest, UnfinishedImagesGoWhenTheirKeyIsFinished) {
  have_chain();
  Snapshot& done = have("P1", "with-targets", "bscp", 300, 900);
  done.complete = false;
  done.lineage.back().key = "key of T";
  Snapshot& older = have("P2", "with-targets", "bscq", 300, 901);
  older.complete = false;
  older.names.clear();
  have("P3", "with-targets", "bscr", 300, 902).complete = false;
  have("P4", "configured", "bsd", 300, 903).complete = false;
  EvictionPlan some = plan();
  EXPECT_THAT(gone(some), ElementsAre("P1", "P2"));
  EXPECT_EQ(some.evictions[0].why,
            "superseded: sage-a-minimal-with-targets:T contains with-targets, complete");
  EXPECT_EQ(why_kept(some, "P3"), "the next build of with-targets continues from it");
  EXPECT_EQ(why_kept(some, "P4"), "the next build of configured continues from it");
  EXPECT_THAT(gone(plan({.max_size = 0})), ElementsAre("P1", "P2")) << "no more, whatever the limit";
}

TEST_F(EvictionTest, ImagesKeptByThePolicyStay) {
  have_chain();
  for (int i = 0; i < 4; ++i)
    have(fmt::format("T{}", i), "with-targets", std::string("bsc") + static_cast<char>('0' + i), 300,
         (95 + i) * kDaySeconds)
        .names.clear();
  snapshots_[2].created = now_;
  EXPECT_THAT(gone(plan()), ElementsAre("T0", "T1", "T2", "T3"));
  EXPECT_THAT(gone(plan({.keep_days = 3})), ElementsAre("T0", "T1", "T2"));
  EXPECT_THAT(gone(plan({.keep_days = 4})), ElementsAre("T0", "T1"));
  EXPECT_EQ(why_kept(plan({.keep_days = 4}), "T3"), "--keep-days 4");
  EXPECT_THAT(gone(plan({.keep = 2})), ElementsAre("T0", "T1", "T2")) << "T and T3";
  EXPECT_EQ(why_kept(plan({.keep = 2}), "T3"), "--keep 2");
  EXPECT_THAT(gone(plan({.keep = 9})), IsEmpty());
  EXPECT_THAT(gone(plan({.keep_days = 4, .max_size = 0})), ElementsAre("T0", "T1"));
}

TEST_F(EvictionTest, WithALimitTheCheapestPerByteGoesFirst) {
  have_chain();
  for (const auto& [name, seconds] : {std::pair("slow", 900.0), {"quick", 10.0}, {"shared", 5000.0}})
    takes(name, seconds);
  snapshots_.back().packages = {{"shared", {"1", "f"}}};
  have("T1", "with-targets", "bsc1", 1210, 900).packages = {{"slow", {"1", "f"}}, {"shared", {"1", "f"}}};
  have("T2", "with-targets", "bsc2", 1210, 901).packages = {{"quick", {"1", "f"}}};
  have("T3", "with-targets", "bsc3", 220, 902).packages = {{"quick", {"2", "f"}}};
  EvictionPlan all = plan({.max_size = 0});
  EXPECT_THAT(gone(all), ElementsAre("T2", "T1", "T3"));
  EXPECT_EQ(all.evictions[0].rebuild_seconds, 10);
  EXPECT_EQ(all.evictions[0].bytes, 1000u);
  EXPECT_EQ(all.evictions[1].rebuild_seconds, 900) << "what T holds, too, need not be built again";
  EXPECT_EQ(all.evictions[0].why, "--max-size 0 B");
  EXPECT_EQ(all.unmet, "--max-size 0 B cannot be met: 400 B must stay");
  EXPECT_THAT(gone(plan({.max_size = 2410})), IsEmpty()) << "they take 2410";
  EXPECT_THAT(gone(plan({.max_size = 2409})), ElementsAre("T2"));
  EXPECT_EQ(plan({.max_size = 2409}).unmet, "");
  EXPECT_EQ(why_kept(plan({.max_size = 2409}), "T1"), "the limits are met without removing it");
}

TEST_F(EvictionTest, StagesWithoutPackagesCostTheirTime) {
  seen_.stages = {{.environment = "a-minimal", .stage = "configured", .seconds = 77},
                  {.environment = "a-minimal", .stage = "with-targets", .seconds = 5000}};
  have("C1", "configured", "bc", 100, 900);
  Snapshot& newer = have("T", "with-targets", "bd", 100, 1000);
  newer.lineage[2].key = "another";  // bootstrapped and with-system-packages are the same
  have("C2", "configured", "be", 100, 1001);
  EvictionPlan some = plan({.max_size = 200});
  ASSERT_THAT(gone(some), ElementsAre("C1"));
  EXPECT_EQ(some.evictions[0].rebuild_seconds, 77);
}

TEST_F(EvictionTest, FreeSpaceIsALimitToo) {
  have_chain();
  have("T1", "with-targets", "bsc1", 1210, 900);
  have("T2", "with-targets", "bsc2", 1210, 901);
  free_ = 500;
  EXPECT_THAT(gone(plan({.min_free = 500})), IsEmpty());
  EXPECT_THAT(gone(plan({.min_free = 501})), ElementsAre("T1"));
  EXPECT_THAT(gone(plan({.min_free = 1501})), ElementsAre("T1", "T2"));
  EXPECT_EQ(plan({.min_free = 9000}).unmet, "--min-free 9.0 kB cannot be met: only 2.5 kB would be free");
  EXPECT_THAT(gone(plan({.max_size = 1400, .min_free = 500})), ElementsAre("T1"));
  free_.reset();
  EXPECT_THAT(gone(plan({.min_free = 9000})), IsEmpty());
}

TEST_F(EvictionTest, ImagesInUseStay) {
  have_chain();
  have("T1", "with-targets", "bsc1", 300, 900).names.clear();
  in_use_ = {"T1"};
  EXPECT_EQ(why_kept(plan(), "T1"), "a container or a foreign image uses it");
  in_use_.clear();
  locked_ = {{"a-minimal", "process 7 works on a-minimal"}};
  EXPECT_EQ(why_kept(plan(), "T1"), "process 7 works on a-minimal");
  EXPECT_THAT(gone(plan({.max_size = 0})), IsEmpty());
  locked_ = {{"b-minimal", "process 7 works on b-minimal"}};
  EXPECT_THAT(gone(plan()), ElementsAre("T1"));
  have("B", "with-targets", "x", 300, 900, "b-minimal").lineage.back().key = "key of T1";
  EXPECT_EQ(why_kept(plan(), "T1"), "process 7 works on b-minimal, which has the same stage");
}

TEST_F(EvictionTest, OnlyTheEnvironmentsAskedForAreLookedAt) {
  have("A1", "with-targets", "1", 100, 900).names.clear();
  have("A2", "with-targets", "2", 100, 901);
  have("B1", "with-targets", "3", 100, 900, "b-minimal").names.clear();
  have("B2", "with-targets", "4", 100, 901, "b-minimal");
  environments_ = {"b-minimal"};
  EvictionPlan some = plan();
  EXPECT_THAT(gone(some), ElementsAre("B1"));
  EXPECT_EQ(some.left, 100u);
  EXPECT_EQ(some.kept.size(), 1u);
}

TEST_F(EvictionTest, ImagesWithoutNamesGoWithWhatLiesOnThem) {
  have("T1", "with-targets", "b1", 200, 900).names.clear();
  have("T2", "with-targets", "b12", 300, 901).names.clear();
  have("T3", "with-targets", "b123", 400, 902).names.clear();
  have("T", "with-targets", "bt", 100, 1000);
  takes("old", 30);
  for (std::size_t i = 0; i < 3; ++i) snapshots_[i].packages = {{"old", {"1", "f"}}};
  EvictionPlan all = plan();
  EXPECT_THAT(gone(all), ElementsAre("T3", "T2", "T1"));
  EXPECT_EQ(all.freed, 400u);
  EXPECT_THAT(all.evictions[1].why, HasSubstr("superseded: "));
  EXPECT_EQ(all.evictions[0].rebuild_seconds, 0);
  EXPECT_EQ(all.evictions[2].rebuild_seconds, 30) << "the last that holds it";
  in_use_ = {"T2"};
  EvictionPlan none = plan();
  EXPECT_THAT(gone(none), IsEmpty());
  EXPECT_THAT(why_kept(none, "T3"), HasSubstr("removing it would remove T2, which is kept: a container"));
  in_use_ = {"T1"};
  snapshots_[1].names = {"some:2"};
  EXPECT_THAT(gone(plan()), ElementsAre("T3")) << "T2 has a name, and T1 is below it";
}

TEST_F(EvictionTest, AStageIsHeldByWhatWentOnFromIt) {
  // An edit was built in one container: its image has the names of all stages.
  have("C", "configured", "bc", 100, 900).names.clear();
  have("T", "with-targets", "bct", 200, 901).names.clear();
  have("N", "with-targets", "bn", 300, 1000);
  EXPECT_THAT(gone(plan()), ElementsAre("T", "C"));
}

TEST_F(EvictionTest, WithoutLayerIdsNothingIsShared) {
  have("T0", "with-targets", "", 300, 900).names.clear();
  have("T", "with-targets", "", 400, 1000);
  EvictionPlan some = plan();
  EXPECT_THAT(gone(some), ElementsAre("T0"));
  EXPECT_EQ(some.freed, 300u);
  EXPECT_EQ(some.left, 400u);
}

TEST_F(EvictionTest, NoImagesNoEvictions) {
  EvictionPlan nothing = plan({.max_size = 0, .min_free = 1});
  EXPECT_THAT(nothing.evictions, IsEmpty());
  EXPECT_EQ(nothing.unmet, "");
  EXPECT_EQ(policy_text({}), "");
  EXPECT_EQ(policy_text({.keep_days = 1, .keep = 2, .max_size = 3'000, .min_free = 4}),
            "--keep-days 1 --keep 2 --max-size 3.0 kB --min-free 4 B");
}

// Random images and policies: properties that hold for all of them.
TEST_F(EvictionTest, WhateverThereIsTheRulesHold) {
  std::mt19937 random(4);
  auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const char* stages[] = {"with-system-packages", "configured", "with-targets-pre", "with-targets"};
  for (int round = 0; round < 500; ++round) {
    snapshots_.clear();
    int count = pick(14);
    for (int i = 0; i < count; ++i) {
      std::string below;
      std::uint64_t size = 10;
      if (i > 0 && pick(4) > 0) {
        const Snapshot& parent = snapshots_[static_cast<std::size_t>(pick(i))];
        below = join(parent.layer_ids, "");
        size = parent.size;
      }
      Snapshot& one =
          have(fmt::format("I{:02}", i), stages[pick(4)], below + static_cast<char>('a' + i),
               size + static_cast<unsigned>(pick(100)), 1000 + i, pick(2) ? "a-minimal" : "b-minimal");
      if (pick(2) == 0) one.names.clear();
      if (pick(4) == 0) one.complete = false;
      one.lineage.back().key = fmt::format("key {}", pick(4));
      one.packages[fmt::format("p{}", pick(5))] = {"1", "f"};
    }
    EvictionPolicy policy;
    if (pick(2)) policy.max_size = static_cast<unsigned>(pick(600));
    if (pick(3) == 0) policy.keep = 2;
    EvictionPlan all = plan(policy);

    ASSERT_EQ(all.evictions.size() + all.kept.size(), snapshots_.size());
    std::uint64_t before = plan({.keep_days = 1000}).left, freed = 0;
    std::set<std::string> gone_ids;
    for (const ChosenEviction& one : all.evictions) {
      freed += one.bytes;
      gone_ids.insert(one.image->image);
      EXPECT_NE(one.why, "");
      for (const Snapshot& other : snapshots_)
        EXPECT_TRUE(
            gone_ids.contains(other.image) || other.layer_ids.size() <= one.image->layer_ids.size() ||
            !std::equal(one.image->layer_ids.begin(), one.image->layer_ids.end(), other.layer_ids.begin()))
            << other.image << " lies on " << one.image->image;
    }
    EXPECT_EQ(all.freed, freed);
    EXPECT_EQ(all.left, before - freed);
    EXPECT_EQ(all.unmet.empty(), !policy.max_size || all.left <= *policy.max_size);
    for (const KeptImage& one : all.kept) EXPECT_NE(one.why, "");
    // If an environment's stage had a complete image, it still has one: the newest.
    for (const Snapshot& one : snapshots_)
      for (const LineageEntry& entry : one.lineage) {
        const Snapshot* newest = nullptr;
        for (const Snapshot& other : snapshots_)
          if (other.complete && other.environment == one.environment && other.holds(entry.stage) != nullptr)
            newest = &other;  // they are sorted by time
        EXPECT_TRUE(newest == nullptr || !gone_ids.contains(newest->image));
      }
  }
}

}  // namespace
}  // namespace stagemake
