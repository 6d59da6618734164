#include "report/events/event_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/deep_json.h"
#include "base/error.h"
#include "base/holds_soon.h"
#include "base/text/text.h"
#include "report/events/run_reader.h"
#include "report/events/run_recorder.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<EnvironmentStatus> one_environment() {
  EnvironmentStatus one{
      .name = "debian-12-minimal", .stage_names = {"configured", "with-targets"}, .stages = {}};
  one.stages = {{.state = StageState::Reused, .image = "i:1"}, {}};
  one.expected = {{}, {.seconds = 40, .packages = 2, .reasons = {"TARGETS changed", "gmp\xff is new"}}};
  return {one};
}

// Reports a run with one of each event.
void tell(Reporter& reporter) {
  std::vector<EnvironmentStatus> all = one_environment();
  reporter.expects("1 environment", 45);
  reporter.begins(all);
  reporter.expected(
      {0, 1}, {.seconds = 50,
               .work = 70,
               .packages = 2,
               .makes = {{.name = "gmp", .seconds = 30}, {.name = "mpfr", .seconds = 40, .needs = {0}}}});
  all[0].stages[1] = {.state = StageState::Running, .detail = "from i:1", .log = "/l/t.log"};
  reporter.changed(all, {0, 1});
  reporter.package({0, 1}, {.name = "gmp"});
  MachineSample sample{.busy = 0.5, .memory = 0.25, .slots_used = 1, .slots = 2, .free = 7};
  sample.stages = {{.at = {0, 1}, .slots = 1, .memory = 300}};
  reporter.sampled(sample);
  reporter.package({0, 1}, {.name = "gmp", .state = PackageState::Failed});
  LogFinding finding{.package = "gmp", .version = "6", .message = "bad", .file = "/l/t.log", .line = 3};
  finding.excerpt = {"a", "b"};
  all[0].stages[1] = {.state = StageState::Failed,
                      .seconds = 9,
                      .detail = "exit status 2",
                      .log = "/l/t.log",
                      .image = "i:1-failed",
                      .memory = 5'000'000'000,
                      .findings = {finding},
                      .host = "big"};
  reporter.changed(all, {0, 1});
  reporter.note("a\nnote");
  reporter.ends(all, {.all = 10, .pushing = 4});
}

class Events : public testing::Test {
 protected:
  // The events written for this run.
  std::string written() {
    {
      EventLog log([this] { return now_ += 1; });
      log.note("before it was known what runs");
      log.add_file(file_);
      log.facts({.version = "1",
                 .distribution = "mini",
                 .command = {"stagemake", "build"},
                 .process = 17,
                 .hosts = {{.name = "big",
                            .place = "ssh://b",
                            .slots = 8,
                            .at_once = 4,
                            .memory = 9,
                            .problem = "off"}}});
      tell(log);
      log.exits(1);
      EXPECT_THAT(log.problems(), IsEmpty());
    }
    return read_file(file_).value_or("");
  }

  double now_ = 100;
  TemporaryFolder folder_{fs::temp_directory_path()};
  fs::path file_ = folder_.path() / "runs" / "events";
};

TEST_F(Events, AreOneObjectALineAndTheFirstSaysTheSchema) {
  std::string text = written();
  std::vector<std::string> kinds;
  for (std::string_view line : lines(text)) {
    nlohmann::json event = nlohmann::json::parse(line);
    kinds.push_back(event["event"]);
    EXPECT_GT(event["time"], 100);
  }
  EXPECT_THAT(kinds, ElementsAre("run", "note", "outlook", "begin", "expected", "stage", "package", "machine",
                                 "package", "stage", "note", "end", "exit"));
  EXPECT_EQ(nlohmann::json::parse(text.substr(0, text.find('\n')))["schema"], 1);
}

TEST_F(Events, AreReadBackAsTheRunThatTheyTellOf) {
  std::optional<RunRecord> run = parse_run(written());
  ASSERT_TRUE(run);
  RunRecorder recorder([] { return 0.0; });
  tell(recorder);
  RunRecord told = recorder.copy();
  EXPECT_EQ(run->facts.process, 17);
  ASSERT_THAT(run->facts.hosts, SizeIs(1));
  const HostFacts& host = run->facts.hosts[0];
  EXPECT_EQ(host.name + " " + host.place + " " + host.problem, "big ssh://b off");
  EXPECT_EQ(host.slots, 8u);
  EXPECT_EQ(host.at_once, 4u);
  EXPECT_EQ(host.memory, 9u);
  EXPECT_EQ(run->environments[0].stages[1].status.host, "big");
  EXPECT_THAT(run->facts.command, ElementsAre("stagemake", "build"));
  EXPECT_EQ(run->expected_seconds, 45);
  EXPECT_EQ(run->exit_status, 1);
  EXPECT_GT(run->ended, run->began);
  EXPECT_EQ(run->notes.back().text, "a\nnote");
  ASSERT_THAT(run->environments, SizeIs(1));
  const StageRecord& stage = run->environments[0].stages[1];
  const StageRecord& other = told.environments[0].stages[1];
  EXPECT_EQ(stage.status.state, StageState::Failed);
  EXPECT_EQ(stage.status.findings, other.status.findings);
  EXPECT_EQ(stage.status.image, other.status.image);
  EXPECT_EQ(stage.status.memory, 5'000'000'000);
  EXPECT_EQ(stage.expected.packages, 2u);
  EXPECT_EQ(stage.expected.seconds, 50);
  EXPECT_EQ(stage.expected.work, 70);
  ASSERT_THAT(stage.expected.makes, SizeIs(2));
  EXPECT_EQ(stage.expected.makes[1].name, "mpfr");
  EXPECT_EQ(stage.expected.makes[1].seconds, 40);
  EXPECT_THAT(stage.expected.makes[1].needs, ElementsAre(0u));
  EXPECT_EQ(run->pushing, 4);
  EXPECT_EQ(stage.expected.reasons[0], "TARGETS changed");
  EXPECT_THAT(stage.expected.reasons[1], HasSubstr("is new"))
      << "bytes that are no UTF-8 cost only themselves";
  ASSERT_THAT(stage.packages, SizeIs(1));
  EXPECT_EQ(stage.packages[0].state, PackageState::Failed);
  EXPECT_EQ(run->environments[0].stages[0].status.state, StageState::Reused);
  ASSERT_THAT(run->samples, SizeIs(1));
  EXPECT_EQ(run->samples[0].machine.free, 7u);
  EXPECT_EQ(run->samples[0].machine.stages[0].slots, 1u);
  EXPECT_EQ(run->samples[0].machine.stages[0].memory, 300u);
}

TEST_F(Events, DeeplyNestedLinesAreSkipped) {
  std::string text = written();
  std::size_t second = text.find('\n') + 1;
  for (const std::string& deep : test::deep_json("environments")) text.insert(second, deep + "\n");
  std::optional<RunRecord> run = parse_run(text);
  ASSERT_TRUE(run);
  EXPECT_THAT(run->environments, SizeIs(1));
}

TEST_F(Events, DamagedLogsAreReadUpToTheDamage) {
  std::string text = written();
  std::size_t stage = text.find("\"event\":\"package\"");
  std::optional<RunRecord> run = parse_run(text.substr(0, stage + 30));
  ASSERT_TRUE(run) << "a driver was killed while it wrote";
  EXPECT_EQ(run->count(StageState::Running), 1u);
  EXPECT_EQ(run->ended, 0);
  EXPECT_FALSE(parse_run(""));
  EXPECT_FALSE(parse_run("{}\n[]\nnull\n{\"event\":7}\n"));
  EXPECT_FALSE(parse_run("{\"event\":\"run\",\"schema\":2}\n" + text.substr(text.find('\n') + 1)))
      << "of a schema that it does not know";
  std::string hostile =
      text +
      "{\"event\":\"stage\",\"environment\":\"debian-12-minimal\",\"stage\":\"with-targets\","
      "\"state\":[],\"seconds\":\"x\"}\n{\"event\":\"package\",\"environment\":1}\n"
      "{\"event\":\"machine\",\"slots\":-1e99,\"stages\":{}}\n";
  EXPECT_TRUE(parse_run(hostile));
  EXPECT_FALSE(read_run(folder_.path() / "none"));
  EXPECT_FALSE(read_run(folder_.path())) << "a folder";
}

TEST_F(Events, ComeFromManyStagesAtOnceWithoutHoldingThemUp) {
  constexpr std::size_t kStages = 1000, kEach = 50;
  EnvironmentStatus one{.name = "e", .stage_names = {}, .stages = {}};
  for (std::size_t s = 0; s < kStages; ++s) one.stage_names.push_back("s" + std::to_string(s));
  one.stages.resize(kStages);
  {
    EventLog log([] { return 1.0; });
    log.add_file(file_);
    log.facts({});
    log.begins({one});
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 8; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t s = t; s < kStages; s += 8)
          for (std::size_t i = 0; i < kEach; ++i) log.package({0, s}, {.name = "p" + std::to_string(i)});
      });
    for (std::thread& thread : threads) thread.join();
  }
  std::optional<RunRecord> run = read_run(file_);
  ASSERT_TRUE(run);
  for (const StageRecord& stage : run->environments[0].stages) ASSERT_THAT(stage.packages, SizeIs(kEach));
}

TEST_F(Events, GoToAPipeWhoseReaderIsSlowWithoutWaitingForIt) {
  fs::path pipe = folder_.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(LineFile{pipe}, Error) << "nobody reads it";
  std::fstream reader(pipe.string());  // for reading and writing, so that neither side waits
  std::string line(1000, 'x');
  {
    LineFile file(pipe);
    for (int i = 0; i < 200'000; ++i) file.add(line);  // 200 MB: more than the queue holds
    std::string first;
    ASSERT_TRUE(std::getline(reader, first));
    EXPECT_EQ(first, line);
  }  // and it gives up after a second
}

TEST_F(Events, AFullDiskIsReportedAndStopsNothing) {
  EventLog log([] { return 1.0; });
  log.add_file("/dev/full");
  log.facts({});
  EXPECT_TRUE(test::holds_soon([&] { return !log.problems().empty(); }));
  EXPECT_THAT(log.problems(), ElementsAre(HasSubstr("/dev/full: cannot be written: No space left")));
  tell(log);
  EXPECT_THROW(log.add_file("/proc/none/events"), Error);
}

TEST(LineFile, StandardOutputIsTheBuildsOwn) {
  EXPECT_THROW(LineFile("-"), Error);
  EXPECT_FALSE(fs::exists("-"));
}

TEST(LineFile, TextOfTheCallerStays) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "log";
  write_file(file, "the caller's\n");
  int given = -1;
  for (int fd = 3; fd < 10 && given < 0; ++fd)  // like a shell's `3>> log`
    if (::fcntl(fd, F_GETFD) < 0) {
      int opened = ::open(file.c_str(), O_WRONLY | O_APPEND);
      given = ::dup2(opened, fd);
      if (opened != fd) ::close(opened);
    }
  ASSERT_GE(given, 3);
  LineFile(fs::path("/dev/fd/" + std::to_string(given))).add("{}");
  ::close(given);
  EXPECT_EQ(read_file(file), "the caller's\n{}\n");
  LineFile(file).add("{}");
  EXPECT_EQ(read_file(file), "{}\n") << "a file of an earlier run begins anew";
}

}  // namespace
}  // namespace stagemake
