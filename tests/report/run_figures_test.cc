#include "report/events/run_figures.h"

#include <gmock/gmock.h>

#include <limits>

#include "report/made_run.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(PackedLanes, AsFewAsNeededAndTheLowestFreeOne) {
  EXPECT_THAT(packed_lanes({}), IsEmpty());
  EXPECT_THAT(packed_lanes({{0, 10}, {0, 5}, {5, 8}, {8, 12}, {9, 11}}), ElementsAre(0, 1, 1, 1, 2));
  EXPECT_THAT(packed_lanes({{5, 6}, {0, 5}}), ElementsAre(0, 0)) << "in any order; ends do not overlap";
  EXPECT_THAT(packed_lanes({{1, 1}, {1, 1}}), ElementsAre(0, 0)) << "what took no time";
}

TEST(PackedLanes, ManyAtOnceAreQuick) {
  std::vector<Span> spans;
  for (int i = 0; i < 100'000; ++i) spans.push_back({0.001 * i, 1e6});
  EXPECT_EQ(packed_lanes(spans).back(), 99'999u);
}

TEST(Beginning, CutsNoCharacterInTwo) {
  EXPECT_EQ(beginning("abc", 3), "abc");
  EXPECT_EQ(beginning("abcd", 3), "abc");
  EXPECT_EQ(beginning("ab€", 4), "ab");
  EXPECT_EQ(beginning("€", 1), "");
  EXPECT_EQ(beginning("\x80\x80\x80\x80\x80\x80", 5), "\x80\x80") << "what is no UTF-8 is cut all the same";
}

TEST(UtcTime, OnlyWhatACalendarHas) {
  EXPECT_EQ(utc_time(1754222584.9), "2025-08-03T12:03:04");
  EXPECT_EQ(utc_time(253402300799.0), "9999-12-31T23:59:59");
  for (double time : {0.0, -1.0, 1e300, kNone, std::numeric_limits<double>::infinity()})
    EXPECT_EQ(utc_time(time), "") << time;
}

TEST(SaneSeconds, AreAtLeastZeroAndFinite) {
  EXPECT_EQ(sane_seconds(1.5), 1.5);
  EXPECT_EQ(sane_seconds(-1), 0);
  EXPECT_EQ(sane_seconds(kNone), 0);
  EXPECT_EQ(sane_seconds(1e300), 1e9);
}

TEST(SpanOf, UnfinishedSpansEndAtTheLastEvent) {
  RunRecord run{.began = 100, .last_event = 160};
  StageRecord stage{.status = {.state = StageState::Running}, .began = 110};
  EXPECT_EQ(span_of(run, stage).from, 10);
  EXPECT_EQ(span_of(run, stage).to, 60);
  EXPECT_EQ(span_of(run, stage, {.name = "a", .began = 120}).to, 60);
  stage.status.state = StageState::Built;
  stage.ended = 130;
  EXPECT_EQ(span_of(run, stage).to, 30);
  EXPECT_EQ(span_of(run, stage, {.name = "a", .began = 120}).to, 30) << "with its stage";
  EXPECT_EQ(span_of(run, stage, {.name = "a", .ended = 125}).to, 0) << "it was not begun";
  stage.status.state = StageState::Reused;
  EXPECT_EQ(span_of(run, stage).to, 0);
}

TEST(ResultLine, SaysNewOnesAsBeforeAndExpected) {
  MadeRun made;
  using Kind = FailureGroup::Kind;
  auto line = [&](std::vector<Kind> kinds, std::size_t well, std::size_t all) {
    made.verdict = {.environments = all, .environments_well = well};
    for (Kind kind : kinds) made.verdict.groups.push_back({.kind = kind});
    return result_line(made.input());
  };
  EXPECT_EQ(line({}, 54, 54), "54 of 54 environments well");
  EXPECT_EQ(line({}, 1, 1), "1 of 1 environment well");
  EXPECT_EQ(line({Kind::New}, 0, 1), "0 of 1 environment well; 1 new failure");
  EXPECT_EQ(line({Kind::New, Kind::New, Kind::New, Kind::Again, Kind::Again, Kind::Expected}, 41, 54),
            "41 of 54 environments well; 3 new failures, 2 as before, 1 expected");
  EXPECT_EQ(line({Kind::Again}, 1, 2), "1 of 2 environments well; 1 failure as before");
  EXPECT_EQ(line({Kind::Expected, Kind::Expected}, 0, 2), "0 of 2 environments well; 2 expected failures");
}

TEST(Slowest, OverEnvironmentsByTheLongest) {
  RunRecord run{.began = 100, .ended = 300};
  auto add = [&](const std::string& environment, std::vector<std::pair<std::string, double>> packages) {
    StageRecord stage{.name = "made", .status = {.state = StageState::Built}, .began = 100};
    double at = 100;
    for (auto& [name, seconds] : packages) {
      stage.packages.push_back({name, PackageState::Built, at, at + seconds});
      at += seconds;
    }
    stage.ended = at;
    run.environments.push_back({environment, {stage}});
  };
  add("a", {{"gmp", 10}, {"pari", 30}});
  add("b", {{"gmp", 50}, {"pari", 31}, {"zlib", 1}});
  add("c", {{"gmp", 12}});
  std::vector<PackageFigures> packages = slowest_packages(run, 2);
  ASSERT_EQ(packages.size(), 2u);
  EXPECT_EQ(packages[0].name, "gmp");
  EXPECT_EQ(packages[0].longest, 50);
  EXPECT_EQ(packages[0].usual, 12);
  EXPECT_EQ(packages[0].environment, 1u);
  EXPECT_EQ(packages[0].times, 3u);
  EXPECT_EQ(packages[1].name, "pari");
  std::vector<StageFigures> stages = slowest_stages(run, 5);
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[0].environment, 1u);
  EXPECT_EQ(stages[0].seconds, 82);
  EXPECT_EQ(cache_use(run).packages, 6u);
  EXPECT_EQ(cache_use(run).built, 3u);
  EXPECT_EQ(cache_use(run).seconds, 200);
}

TEST(Places, EmptyListsHaveNoPlaces) {
  MadeRun made = small_run();
  EXPECT_EQ(finding_at(made.run, {0, 1, 0})->package, "gmp");
  EXPECT_EQ(finding_at(made.run, {0, 1, FailurePlace::npos}), nullptr);
  EXPECT_EQ(finding_at(made.run, {0, 1, 1}), nullptr);
  EXPECT_EQ(stage_at(made.run, {0, 2}), nullptr);
  EXPECT_EQ(stage_at(made.run, {1, 0}), nullptr);
  EXPECT_EQ(reproduce_command(made.input(), {1, 0}), "");
  ReportInput silent = made.input();
  silent.reproduce = nullptr;
  EXPECT_EQ(reproduce_command(silent, {0, 1}), "") << "nobody knows the command";
}

}  // namespace
}  // namespace stagemake
