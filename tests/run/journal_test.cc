// What the journal keeps, what it skips, and what is learned from it.
#include "run/state/journal.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "base/deep_json.h"
#include "run/state/learned.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class JournalTest : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "state/journal"; }
  std::string text() const { return read_file(file(), 64u << 20).value_or(""); }
  void append(const std::string& bytes) {
    fs::create_directories(file().parent_path());
    std::ofstream(file().string(), std::ios::binary | std::ios::app) << bytes;
  }

  TemporaryFolder folder_{fs::temp_directory_path()};
  Journal journal_{file()};
};

PackageBuilt package(const std::string& name, double seconds = 1) {
  return {.when = 7, .environment = "a-minimal", .package = name, .version = "1", .seconds = seconds};
}

TEST_F(JournalTest, DeeplyNestedLinesAreSkipped) {
  EXPECT_TRUE(journal_.add(package("zlib")));
  for (const std::string& text : test::deep_json("kind", 1u << 20)) append(text + "\n");
  for (const std::string& text : test::deep_json("kind", 50'000)) append(text + "\n");
  EXPECT_TRUE(journal_.add(package("gmp")));
  EXPECT_THAT(journal_.read().packages, SizeIs(2));
}

// Lines in the form that add() writes have a reader of their own; it must agree with the general one, which
// reads the same line with a space at its end.
TEST_F(JournalTest, UsualLinesMeanWhatTheyMeanAsJson) {
  const std::string begin = R"({"schema":1,"kind":"package","when":)";
  const std::string names = R"(,"environment":"a-minimal","package":"zlib","version":"1.2","seconds":)";
  const std::vector<std::string> all = {
      begin + "7" + names + "1.25}",
      begin + "-7" + names + "1e2}",
      begin + "7" + names + "0}",
      begin + "7" + names + "0.5e-3}",
      begin + "7" + names + "-1}",
      begin + "7" + names + "1e10}",
      begin + "7" + names + "01}",
      begin + "7" + names + ".5}",
      begin + "7" + names + "nan}",
      begin + "7" + names + "inf}",
      begin + "7" + names + "1,}",
      begin + "7" + names + "1.}",
      begin + "7" + names + "1.e2}",
      begin + "7" + names + "1e+2}",
      begin + "7" + names + "1e}",
      begin + "7" + names + "1}}",
      begin + "7" + names + "1",
      begin + "7.5" + names + "1}",
      begin + "007" + names + "1}",
      begin + "99999999999999999999" + names + "1}",
      begin + R"(7,"environment":"a\u00e9","package":"z\"lib","version":"","seconds":2})",
      begin + "7,\"environment\":\"a\tb\",\"package\":\"zlib\",\"version\":\"\",\"seconds\":2}",
      begin + "7,\"environment\":\"a\xff\",\"package\":\"zlib\",\"version\":\"\",\"seconds\":2}",
      begin + R"(7,"environment":"a","package":")" + std::string(20'000, 'p') +
          R"(","version":"","seconds":2})",
      R"({"schema":2,"kind":"package","when":7)" + names + "1}",
  };
  for (const std::string& line : all) {
    SCOPED_TRACE(line.substr(0, 200));
    fs::remove(file());
    append(line + "\n");
    std::vector<PackageBuilt> usual = journal_.read().packages;
    fs::remove(file());
    append(line + " \n");
    std::vector<PackageBuilt> general = journal_.read().packages;
    ASSERT_EQ(usual.size(), general.size());
    if (usual.empty()) continue;
    EXPECT_EQ(usual[0].when, general[0].when);
    EXPECT_EQ(usual[0].environment, general[0].environment);
    EXPECT_EQ(usual[0].package, general[0].package);
    EXPECT_EQ(usual[0].version, general[0].version);
    EXPECT_EQ(usual[0].seconds, general[0].seconds);
  }
}

// Each line would wait a second.
TEST_F(JournalTest, AHeldLockIsNotAwaitedAfterAStop) {
  std::optional<FileLock> held = FileLock::try_take(file().string() + ".lock");
  ASSERT_TRUE(held);
  std::stop_source stop;
  stop.request_stop();
  journal_.hurry_on(stop.get_token());
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(journal_.add(package("zlib")));
  EXPECT_EQ(journal_.read().packages.size(), 500u);
}

TEST_F(JournalTest, AddedRecordsAreRead) {
  EXPECT_TRUE(journal_.add(JournalStage{.when = 5,
                                        .environment = "a-minimal",
                                        .stage = "with-targets",
                                        .key = "abc",
                                        .outcome = StageOutcome::Partial,
                                        .seconds = 12.5,
                                        .commit_seconds = 3.25,
                                        .bytes = 1u << 31,
                                        .memory = 5'000'000'000,
                                        .engine = "docker",
                                        .network = Network::None}));
  EXPECT_TRUE(journal_.add(package("z\"li\nb\x1b\xff")));
  EXPECT_TRUE(journal_.add(TransferRecord{.kind = TransferRecord::Kind::Push,
                                          .when = 8,
                                          .host = "ghcr.io",
                                          .bytes = 3,
                                          .seconds = 2,
                                          .ok = false}));
  EXPECT_TRUE(journal_.add(Eviction{.when = 9,
                                    .environment = "a-minimal",
                                    .stage = "configured",
                                    .key = "k",
                                    .complete = false,
                                    .image = "i:1",
                                    .bytes = 10,
                                    .rebuild_seconds = 60,
                                    .why = "gc"}));
  JournalContents read = Journal(file()).read();
  ASSERT_THAT(read.stages, SizeIs(1));
  EXPECT_EQ(read.stages[0].when, 5);
  EXPECT_EQ(read.stages[0].environment, "a-minimal");
  EXPECT_EQ(read.stages[0].stage, "with-targets");
  EXPECT_EQ(read.stages[0].key, "abc");
  EXPECT_EQ(read.stages[0].outcome, StageOutcome::Partial);
  EXPECT_EQ(read.stages[0].seconds, 12.5);
  EXPECT_EQ(read.stages[0].commit_seconds, 3.25);
  EXPECT_EQ(read.stages[0].bytes, 1u << 31);
  EXPECT_EQ(read.stages[0].memory, 5'000'000'000);
  EXPECT_EQ(read.stages[0].engine, "docker");
  EXPECT_EQ(read.stages[0].network, Network::None);
  ASSERT_THAT(read.packages, SizeIs(1));
  EXPECT_EQ(read.packages[0].package, "z\"li\nb\x1b\xef\xbf\xbd");
  ASSERT_THAT(read.transfers, SizeIs(1));
  EXPECT_EQ(read.transfers[0].kind, TransferRecord::Kind::Push);
  EXPECT_EQ(read.transfers[0].host, "ghcr.io");
  EXPECT_FALSE(read.transfers[0].ok);
  ASSERT_THAT(read.evictions, SizeIs(1));
  EXPECT_EQ(read.evictions[0].image, "i:1");
  EXPECT_EQ(read.evictions[0].why, "gc");
  EXPECT_EQ(read.evictions[0].rebuild_seconds, 60);
  EXPECT_FALSE(read.evictions[0].complete);
  for (std::string_view line : {"\"schema\":1,\"kind\":\"stage\"", "\"kind\":\"push\""})
    EXPECT_THAT(text(), HasSubstr(line));
}

TEST_F(JournalTest, NoJournalIsAnEmptyOne) {
  EXPECT_THAT(journal_.read().stages, SizeIs(0));
  EXPECT_FALSE(fs::exists(file())) << "who reads writes nothing";
  fs::create_directories(file());
  EXPECT_THAT(journal_.read().stages, SizeIs(0));
}

TEST_F(JournalTest, InvalidRecordsAreSkipped) {
  journal_.add(package("first"));
  std::string good = text();
  auto with = [&](const std::string& from, const std::string& to) {
    std::string line = good;
    line.replace(line.find(from), from.size(), to);
    return line;
  };
  append("\n\nnonsense\n[]\n{}\n\"text\"\n17\n");
  append(std::string(1000, '[') + "\n" + std::string(100'000, 'x') + "\n" + std::string(10, '\0') + "\n");
  append(with("\"schema\":1", "\"schema\":2"));
  append(with("\"kind\":\"package\"", "\"kind\":\"later\""));
  append(with("\"kind\":\"package\"", "\"kind\":7"));
  append(with("\"seconds\":1.0", "\"seconds\":-1"));
  append(with("\"seconds\":1.0", "\"seconds\":1e300"));
  append(with("\"seconds\":1.0", "\"seconds\":\"x\""));
  append(with("\"version\":\"1\",", ""));
  append(good.substr(0, good.size() / 2));  // truncated; the next writer starts a new line
  EXPECT_TRUE(journal_.add(package("last")));
  JournalContents read = journal_.read();
  ASSERT_THAT(read.packages, SizeIs(2));
  EXPECT_EQ(read.packages[0].package, "first");
  EXPECT_EQ(read.packages[1].package, "last");
}

TEST_F(JournalTest, NumbersThatAreNoneAreWrittenAsNothing) {
  journal_.add(package("nan", std::nan("")));
  journal_.add(package("negative", -3));
  journal_.add(package("endless", std::numeric_limits<double>::infinity()));
  for (const PackageBuilt& built : journal_.read().packages) EXPECT_EQ(built.seconds, 0) << built.package;
  EXPECT_THAT(journal_.read().packages, SizeIs(3));
}

TEST_F(JournalTest, AnUnwritableJournalIsReportedOnce) {
  write_file(folder_.path() / "file", "x");
  Journal impossible(folder_.path() / "file/journal");
  EXPECT_EQ(impossible.untold_problem(), std::nullopt);
  EXPECT_FALSE(impossible.add(package("a")));
  EXPECT_FALSE(impossible.add(package("b")));
  EXPECT_THAT(impossible.untold_problem().value_or(""), HasSubstr("file"));
  EXPECT_EQ(impossible.untold_problem(), std::nullopt);
  EXPECT_FALSE(impossible.add(package("c")));
  EXPECT_EQ(impossible.untold_problem(), std::nullopt);
}

TEST_F(JournalTest, ALargeJournalIsReadFromItsEndAndLosesItsOlderHalf) {
  std::string filler = "{\"filler\":\"" + std::string(1000, 'x') + "\"}\n";
  std::string block;
  while (block.size() < Journal::kMostRead) block += filler;
  journal_.add(package("old"));
  append(block);
  journal_.add(package("middle"));
  JournalContents read = journal_.read();
  ASSERT_THAT(read.packages, SizeIs(1)) << "the last 16 MiB alone are read";
  EXPECT_EQ(read.packages[0].package, "middle");
  append(block);
  ASSERT_GT(fs::file_size(file()), Journal::kMostKept);
  journal_.add(package("new"));
  EXPECT_LE(fs::file_size(file()), Journal::kMostKept / 2 + 4096);
  EXPECT_TRUE(text().starts_with("{\"filler\"")) << "whole lines";
  ASSERT_THAT(journal_.read().packages, SizeIs(1));
  EXPECT_EQ(journal_.read().packages[0].package, "new");
}

TEST_F(JournalTest, SeveralThreadsAndProcessesAddAtOnceAndNothingIsLost) {
  std::string filler = "{\"filler\":\"" + std::string(1000, 'x') + "\"}\n";
  std::string block;
  while (block.size() < Journal::kMostKept - 20'000) block += filler;
  append(block);  // so that it is shortened during the test
  constexpr int kEach = 100;
  auto add_some = [&](const std::string& name) {
    Journal own(file());
    for (int i = 0; i < kEach; ++i) own.add(package(name + std::to_string(i)));
  };
  pid_t other = ::fork();
  if (other == 0) {
    add_some("process");
    ::_exit(0);
  }
  {
    std::jthread first(add_some, "first");
    std::jthread second(add_some, "second");
  }
  int status = 0;
  ::waitpid(other, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(journal_.read().packages, SizeIs(3 * kEach));
  EXPECT_LT(fs::file_size(file()), Journal::kMostKept);
}

TEST_F(JournalTest, AnEvictionIsToldUntilTheStageIsBuiltAgain) {
  auto eviction = [](std::int64_t when, const std::string& why) {
    return Eviction{.when = when, .environment = "a-minimal", .stage = "configured", .key = "k", .why = why};
  };
  EXPECT_EQ(evicted(journal_.read(), "a-minimal", "configured", "k"), std::nullopt);
  journal_.add(JournalStage{.when = 1, .environment = "a-minimal", .stage = "configured", .key = "k"});
  journal_.add(eviction(2, "first"));
  journal_.add(eviction(3, "second"));
  ASSERT_TRUE(evicted(journal_.read(), "a-minimal", "configured", "k").has_value());
  EXPECT_EQ(evicted(journal_.read(), "a-minimal", "configured", "k")->why, "second");
  EXPECT_EQ(evicted(journal_.read(), "a-minimal", "configured", "other"), std::nullopt);
  EXPECT_EQ(evicted(journal_.read(), "a-minimal", "bootstrapped", "k"), std::nullopt);
  EXPECT_EQ(evicted(journal_.read(), "b-minimal", "configured", "k"), std::nullopt);
  JournalStage again{.when = 4, .environment = "a-minimal", .stage = "configured", .key = "k"};
  again.outcome = StageOutcome::Failed;
  journal_.add(again);
  EXPECT_TRUE(evicted(journal_.read(), "a-minimal", "configured", "k").has_value());
  again.outcome = StageOutcome::Built;
  journal_.add(again);
  EXPECT_EQ(evicted(journal_.read(), "a-minimal", "configured", "k"), std::nullopt);
}

TEST_F(JournalTest, LinesFromBeforeMemoryWasLookedAtAreRead) {
  append(R"({"schema":1,"kind":"stage","when":5,"environment":"a","stage":"s","key":"k","outcome":"built",)"
         R"("seconds":1,"commit_seconds":0,"bytes":3,"engine":"docker"})"
         "\n");
  ASSERT_THAT(journal_.read().stages, SizeIs(1));
  EXPECT_EQ(journal_.read().stages[0].memory, 0u);
}

TEST_F(JournalTest, PredictionsAreLearnedFromIt) {
  journal_.add(package("zlib", 4));
  journal_.add(JournalStage{.environment = "a-minimal",
                            .stage = "configured",
                            .seconds = 9,
                            .commit_seconds = 10,
                            .bytes = 77,
                            .memory = 88});
  journal_.add(JournalStage{
      .environment = "a-minimal", .stage = "configured", .outcome = StageOutcome::Failed, .seconds = 1});
  journal_.add(TransferRecord{.host = "near", .bytes = 200'000'000, .seconds = 2});
  journal_.add(TransferRecord{.host = "near", .bytes = 900'000'000, .seconds = 1, .ok = false});
  journal_.add(
      TransferRecord{.kind = TransferRecord::Kind::Push, .host = "near", .bytes = 20'000'000, .seconds = 10});
  Predictions known = learned(journal_.read(), {});
  EXPECT_EQ(known.package("a-minimal", "zlib").seconds, 4);
  EXPECT_EQ(known.stage_seconds("a-minimal", "configured"), 9);
  EXPECT_EQ(known.commit_seconds("a-minimal", "configured"), 15);
  EXPECT_EQ(known.stage_bytes("a-minimal", "configured"), 77u);
  EXPECT_EQ(known.stage_memory("a-minimal", "configured"), 88u);
  EXPECT_DOUBLE_EQ(known.fetch_seconds(100'000'000, "near"), 2);
  EXPECT_DOUBLE_EQ(known.push_seconds(2'000'000, "near"), 2);
}

}  // namespace
}  // namespace stagemake
