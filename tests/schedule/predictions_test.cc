// What is predicted from observations, rule by rule.
#include "schedule/predictions.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using From = PackageTime::From;
using Kind = TransferObservation::Kind;

// Builds of one package in one environment, one second apart, the first one at `since`.
void built(Observations& seen, const std::string& environment, const std::string& package,
           const std::vector<double>& seconds, std::int64_t since = 100) {
  for (double one : seconds) seen.packages.push_back({environment, package, one, since++});
}

void ran(Observations& seen, const std::vector<double>& seconds, bool well = true, std::int64_t since = 100) {
  for (double one : seconds)
    seen.stages.push_back({.environment = "a", .stage = "s", .built = well, .seconds = one, .when = since++});
}

void moved(Observations& seen, Kind kind, const std::string& host, std::uint64_t bytes, double seconds,
           std::int64_t when = 100) {
  seen.transfers.push_back({kind, host, bytes, seconds, when});
}

TEST(Predictions, NothingKnownGivesStatedNumbers) {
  Predictions nothing;
  EXPECT_EQ(nothing.package("a", "zlib").seconds, kUnknownPackage);
  EXPECT_EQ(nothing.package("a", "zlib").from, From::Nothing);
  EXPECT_DOUBLE_EQ(nothing.fetch_seconds(40'000'000, "ghcr.io"), 3);
  EXPECT_DOUBLE_EQ(nothing.push_seconds(40'000'000, "ghcr.io"), 5);
  EXPECT_DOUBLE_EQ(nothing.fetch_seconds(0, ""), 1);
  EXPECT_EQ(nothing.stage_seconds("a", "s"), std::nullopt);
  EXPECT_EQ(nothing.commit_seconds("a", "s"), 30);
  EXPECT_EQ(nothing.stage_bytes("a", "s"), std::nullopt);
}

TEST(Predictions, APackageTakesTheLowerMedianOfItsLastFiveButNotThriceTheLeast) {
  struct Case {
    std::vector<double> seconds;
    double predicted;
  };
  for (const Case& one : {Case{{7}, 7}, Case{{1, 2}, 1}, Case{{100, 1, 2}, 2}, Case{{5, 4, 3, 2, 1}, 3},
                          Case{{900, 900, 900, 900, 1, 2, 3, 4, 5}, 3}, Case{{400, 4}, 4},
                          Case{{4, 400, 400, 400, 400}, 12}, Case{{10, 11, 12, 40}, 11}}) {
    Observations seen;
    built(seen, "a", "zlib", one.seconds);
    PackageTime time = Predictions(seen).package("a", "zlib");
    EXPECT_DOUBLE_EQ(time.seconds, one.predicted);
    EXPECT_EQ(time.from, From::Environment);
  }
}

TEST(Predictions, OneOrTwoDurationsAreHeldAgainstThoseOfOtherEnvironments) {
  Observations seen;
  built(seen, "busy", "zlib", {500});
  built(seen, "twice", "zlib", {500, 500});
  built(seen, "slow", "zlib", {500, 500, 500});
  for (const char* other : {"a", "b", "c", "d"}) built(seen, other, "zlib", {10});
  Predictions known(seen);
  EXPECT_DOUBLE_EQ(known.package("busy", "zlib").seconds, 30) << "the median of the others is 10";
  EXPECT_DOUBLE_EQ(known.package("twice", "zlib").seconds, 30);
  EXPECT_DOUBLE_EQ(known.package("slow", "zlib").seconds, 500) << "that often is no accident";
  EXPECT_DOUBLE_EQ(known.package("a", "zlib").seconds, 10);
}

TEST(Predictions, TheOrderOfObservationsIsThatOfTheirTimes) {
  Observations seen;
  built(seen, "a", "zlib", {1, 2, 3, 4, 5}, 200);
  built(seen, "a", "zlib", {900, 900, 900, 900, 900}, 100);
  EXPECT_DOUBLE_EQ(Predictions(seen).package("a", "zlib").seconds, 3);
}

TEST(Predictions, OtherEnvironmentsFillGaps) {
  Observations seen;
  built(seen, "a", "zlib", {10});
  built(seen, "b", "zlib", {2, 4});
  built(seen, "c", "zlib", {30, 30, 30, 30, 30});
  built(seen, "c", "app", {100, 200});  // usually 100
  Predictions known(seen);
  EXPECT_DOUBLE_EQ(known.package("d", "zlib").seconds, 10) << "the median of 10, 2 and 30";
  EXPECT_EQ(known.package("d", "zlib").from, From::OtherEnvironments);
  EXPECT_DOUBLE_EQ(known.package("c", "new").seconds, 55) << "the median of 10 and 100";
  EXPECT_EQ(known.package("c", "new").from, From::OtherPackages);
}

TEST(Predictions, RatesAreOfTheHostAndTheWay) {
  Observations seen;
  moved(seen, Kind::Fetch, "near", 100'000'000, 1);
  moved(seen, Kind::Fetch, "near", 300'000'000, 7);
  moved(seen, Kind::Push, "near", 10'000'000, 10);
  Predictions known(seen);
  EXPECT_DOUBLE_EQ(known.fetch_seconds(30'000'000, "near"), 1 + 0.7)
      << "300 MB in 7 s is between 100 MB/s and 20";
  EXPECT_DOUBLE_EQ(known.push_seconds(100'000'000, "near"), 1 + 100);
  EXPECT_DOUBLE_EQ(known.fetch_seconds(100'000'000, "far"), 1 + 5);
}

TEST(Predictions, OnlyTheLastTenTellingTransfersCount) {
  Observations seen;
  moved(seen, Kind::Push, "host", 900'000'000, 1, 100);
  for (std::int64_t i = 0; i < 10; ++i) moved(seen, Kind::Push, "host", 2'000'000, 2, 200 + i);
  moved(seen, Kind::Push, "host", 1'000'000, 500, 300);
  moved(seen, Kind::Push, "host", 50'000'000, 0, 300);
  EXPECT_DOUBLE_EQ(Predictions(seen).push_seconds(5'000'000, "host"), 1 + 5);
}

TEST(Predictions, ASlowFetchOnABusyMachineDoesNotDecideButSeveralDo) {
  Observations seen;
  moved(seen, Kind::Fetch, "host", 50'000'000, 500);
  EXPECT_DOUBLE_EQ(Predictions(seen).fetch_seconds(200'000'000, "host"), 1 + 10) << "the stated 20 MB/s";
  moved(seen, Kind::Fetch, "host", 50'000'000, 500);
  EXPECT_DOUBLE_EQ(Predictions(seen).fetch_seconds(1'000'000, "host"), 1 + 10) << "0.1 MB/s, twice";
}

TEST(Predictions, AStageTakesTheMedianOfTheLastFiveThatWentWell) {
  Observations seen;
  ran(seen, {900, 10, 30, 20, 50, 40});
  ran(seen, {1, 1, 1}, false, 200);
  Predictions known(seen);
  EXPECT_EQ(known.stage_seconds("a", "s"), 30);
  EXPECT_EQ(known.stage_seconds("a", "other"), std::nullopt);
  EXPECT_EQ(known.stage_seconds("b", "s"), std::nullopt);
}

TEST(Predictions, ACommitHasAMargin) {
  struct Case {
    std::vector<double> commits;
    double predicted;
  };
  for (const Case& one : {Case{{0}, 30}, Case{{1}, 5}, Case{{4, 0, 10}, 15}, Case{{99, 8, 8, 8, 8, 8}, 12}}) {
    Observations seen;
    for (double seconds : one.commits)
      seen.stages.push_back({.environment = "a", .stage = "s", .built = false, .commit_seconds = seconds});
    EXPECT_DOUBLE_EQ(Predictions(seen).commit_seconds("a", "s"), one.predicted);
  }
}

TEST(Predictions, AStageGrowsByTheMostOfTheLastThree) {
  Observations seen;
  for (std::uint64_t bytes : {9000u, 10u, 30u, 0u, 20u})
    seen.stages.push_back({.environment = "a", .stage = "s", .bytes = bytes});
  EXPECT_EQ(Predictions(seen).stage_bytes("a", "s"), 30u);
  EXPECT_EQ(Predictions(seen).stage_bytes("a", "t"), std::nullopt);
}

TEST(Predictions, AStageHoldsTheMostOfTheLastFiveRunsOrWhatItDidElsewhere) {
  Observations seen;
  for (std::uint64_t memory : {9000u, 10u, 50u, 0u, 20u, 30u, 10u})
    seen.stages.push_back({.environment = "a", .stage = "s", .built = false, .memory = memory});
  seen.stages.push_back({.environment = "b", .stage = "s", .memory = 40});
  Predictions known(seen);
  EXPECT_EQ(known.stage_memory("a", "s"), 50u) << "failed or not; nothing is known of the 0";
  EXPECT_EQ(known.stage_memory("b", "s"), 40u);
  EXPECT_EQ(known.stage_memory("c", "s"), 50u);
  EXPECT_EQ(known.stage_memory("a", "t"), std::nullopt);
}

}  // namespace
}  // namespace stagemake
