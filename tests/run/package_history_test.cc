// What follows from a journal, and what does not.
#include "run/state/package_history.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PackageBuilt built(std::int64_t when, std::string package, std::string version, double seconds,
                   std::string environment = "one") {
  return {.when = when,
          .environment = std::move(environment),
          .package = std::move(package),
          .version = std::move(version),
          .seconds = seconds};
}

JournalStage ran(std::int64_t when, std::string key, std::string environment = "one") {
  return {.when = when, .environment = std::move(environment), .stage = "make", .key = std::move(key)};
}

TEST(TimesOfPackage, AreByEnvironmentTheSlowestFirst) {
  JournalContents journal;
  for (double seconds : {900.0, 10.0, 30.0, 20.0, 50.0, 40.0})
    journal.packages.push_back(built(100 + static_cast<std::int64_t>(seconds), "zlib", "1", seconds));
  journal.packages.push_back(built(500, "zlib", "2", 60, "two"));
  journal.packages.push_back(built(600, "gmp", "2", 1e6, "three"));
  std::vector<PackageTimes> times = times_of_package(journal, "zlib");
  ASSERT_EQ(times.size(), 2u);
  EXPECT_EQ(times[0].environment, "two");
  EXPECT_EQ(times[1].builds, 6u);
  EXPECT_DOUBLE_EQ(times[1].median, 40) << "of the last five by time: 20, 30, 40, 50, 900";
  EXPECT_DOUBLE_EQ(times[1].last, 900);
  EXPECT_EQ(times[1].when, 1000);
  EXPECT_THAT(times_of_package(journal, "none"), IsEmpty());
}

TEST(LastBuild, IsNothingWithoutAny) {
  JournalContents journal;
  journal.packages = {built(1, "zlib", "1", 1, "two")};
  EXPECT_EQ(last_build(journal, "one", "zlib", {}), std::nullopt);
}

TEST(LastBuild, TheFirstHasNoReasonButItself) {
  JournalContents journal;
  journal.stages = {ran(10, "k")};
  journal.packages = {built(10, "zlib", "1", 5), built(10, "gmp", "1", 5), built(10, "mpfr", "1", 5, "two")};
  std::optional<LastBuild> last = last_build(journal, "one", "zlib", {"gmp"});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->before, std::nullopt);
  EXPECT_EQ(last->stage, "make");
  EXPECT_EQ(last->with_it, 1u) << "what another environment built at that moment is no part of it";
  EXPECT_THAT(last->reasons, IsEmpty());
}

TEST(LastBuild, NamesVersionsAndRebuiltDependencies) {
  JournalContents journal;
  journal.stages = {ran(10, "first-key-of-all"), ran(20, "second-key-of-all")};
  journal.packages = {built(10, "gmp", "6.1", 5), built(10, "xz", "1", 5), built(10, "mpfr", "1", 5),
                      built(20, "gmp", "6.2", 5), built(20, "mpfr", "2", 5)};
  EXPECT_THAT(last_build(journal, "one", "mpfr", {"gmp", "xz"})->reasons,
              ElementsAre("its version went from 1 to 2", "it needs gmp (6.1 -> 6.2), rebuilt since then",
                          "the inputs of make had changed (key first-key-of -> second-key-o)"));
}

TEST(LastBuild, SaysNothingThatTheJournalDoesNotTell) {
  JournalContents journal;
  journal.packages = {built(10, "mpfr", "1", 5), built(20, "mpfr", "1", 5), built(30, "gmp", "1", 5)};
  std::optional<LastBuild> last = last_build(journal, "one", "mpfr", {"gmp"});
  EXPECT_EQ(last->stage, "");
  EXPECT_THAT(last->reasons, IsEmpty()) << "gmp was built later";
}

TEST(LastBuild, TheSameSourcesMeanThatTheImageWasGone) {
  JournalContents journal;
  journal.stages = {ran(10, "k"), ran(20, "k")};
  journal.packages = {built(10, "mpfr", "1", 5), built(20, "mpfr", "1", 5)};
  EXPECT_THAT(
      last_build(journal, "one", "mpfr", {})->reasons,
      ElementsAre(
          "make was rebuilt from the same sources: its image was gone, or a fresh build was requested"));
  journal.evictions = {{.when = 15,
                        .environment = "one",
                        .stage = "make",
                        .key = "k",
                        .image = "img:1",
                        .why = "gc (--max-size 1 GB)"}};
  EXPECT_THAT(last_build(journal, "one", "mpfr", {})->reasons,
              ElementsAre("the image img:1 that contained it was evicted by gc (--max-size 1 GB)"));
}

TEST(LastBuild, TextOfTheJournalIsMadePrintable) {
  JournalContents journal;
  journal.packages = {built(10, "mpfr", "1", 5), built(20, "mpfr", "\x1b[2J", 5)};
  EXPECT_THAT(last_build(journal, "one", "mpfr", {})->reasons,
              ElementsAre("its version went from 1 to \\x1b[2J"));
}

}  // namespace
}  // namespace stagemake
