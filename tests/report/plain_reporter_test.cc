#include "report/terminal/plain_reporter.h"

#include <gmock/gmock.h>

#include <functional>
#include <mutex>
#include <thread>

#include "base/files/files.h"
#include "base/holds_soon.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Collects what a reporter prints.
class Output {
 public:
  std::function<void(std::string_view)> sink() {
    return [this](std::string_view lines) {
      std::lock_guard lock(mutex_);
      text_ += lines;
    };
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }
  std::vector<std::string> all_lines() const {
    std::string content = text();
    std::vector<std::string> result;
    for (std::string_view line : lines(content)) result.emplace_back(line);
    return result;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

std::vector<EnvironmentStatus> two_stages() {
  EnvironmentStatus environment{
      .name = "debian-bookworm-minimal", .stage_names = {"configured", "with-targets"}, .stages = {}};
  environment.stages.resize(2);
  return {environment};
}

// A run in which one stage fails, as a build reports it; `log` is that stage's log.
void tell_failure(Reporter& reporter, std::vector<EnvironmentStatus>& all, const std::string& log) {
  reporter.begins(all);
  all[0].stages[0] = {.state = StageState::Running, .detail = "from debian:bookworm", .log = log};
  reporter.changed(all, {0, 0});
  all[0].stages[0] = {.state = StageState::Failed,
                      .seconds = 75,
                      .detail = "exit status 2",
                      .log = log,
                      .image = "img:1-failed"};
  reporter.changed(all, {0, 0});
  all[0].stages[1] = {.state = StageState::Skipped, .detail = "configured did not succeed"};
  reporter.changed(all, {0, 1});
  reporter.ends(all, {.all = 80});
}

TEST(PlainReporter, OneLinePerChangeAndATable) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink()});
    std::vector<EnvironmentStatus> all = two_stages();
    reporter.begins(all);
    all[0].stages[0] = {.state = StageState::Running, .detail = "from debian:bookworm"};
    reporter.changed(all, {0, 0});
    all[0].stages[0] = {.state = StageState::Built, .seconds = 12, .detail = "image:1"};
    reporter.changed(all, {0, 0});
    reporter.note("by the way");
    reporter.ends(all, {.all = 12});
  }
  EXPECT_THAT(output.all_lines(),
              ElementsAre("debian-bookworm-minimal: 2 stages to build, 0 reused",
                          "debian-bookworm-minimal  configured: running, from debian:bookworm",
                          "debian-bookworm-minimal  configured: built after 12 s, image:1", "by the way", "",
                          HasSubstr("environment"), HasSubstr("configured"), HasSubstr("with-targets"), "",
                          "in 12 s"));
  EXPECT_THAT(output.text(), Not(HasSubstr("\x1b"))) << "no escape bytes where there is no terminal";
}

TEST(PlainReporter, ReportsThatNothingIsToDo) {
  Output output;
  PlainReporter reporter({.print = output.sink()});
  std::vector<EnvironmentStatus> all = two_stages();
  for (StageStatus& stage : all[0].stages) stage.state = StageState::Reused;
  reporter.begins(all);
  EXPECT_THAT(output.all_lines(),
              ElementsAre("debian-bookworm-minimal: nothing to do, all 2 stages have their images"));
}

TEST(PlainReporter, AFailedPackageNamesTheCommandForItsLogAndAMissingLogIsNotNamed) {
  Output output;
  {
    PlainReporter reporter(
        {.print = output.sink(),
         .logs_command =
             [](const std::string& environment, const std::string& stage, const std::string& package) {
               return "show " + environment + " " + stage + " " + package;
             },
         .has_log = [](const std::string& log) { return log != "/no/such.log"; }});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].stages[0] = {.state = StageState::Failed, .log = "/no/such.log"};
    for (const char* package : {"gmp", "gmp", ""})
      all[0].stages[0].findings.push_back(
          {.kind = LogFinding::Kind::Error, .package = package, .message = "does not compile"});
    all[0].stages[1] = {.state = StageState::Failed, .log = "/no/such.log"};
    reporter.ends(all, {.all = 80});
  }
  std::string text = output.text();
  EXPECT_THAT(text, HasSubstr("\n  logs:  show debian-bookworm-minimal configured gmp\n"));
  EXPECT_EQ(text.find("show"), text.rfind("show")) << "once";
  EXPECT_THAT(text, Not(HasSubstr("\ndebian-bookworm-minimal with-targets\n"))) << "nothing to add";
  EXPECT_THAT(text, Not(HasSubstr("/no/such.log")));
  EXPECT_THAT(text, Not(HasSubstr("logs of")));
}

TEST(PlainReporter, AFailureShowsTheEndOfItsLogWhereItIsAndHowToLookInto) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string log = (folder.path() / "configured.log").string();
  std::string content;
  for (int i = 1; i <= 30; ++i) content += "line " + std::to_string(i) + "\n";
  write_file(log, content + "\x1b]0;title\x07red\r\n");
  Output output;
  {
    PlainReporter reporter({.print = output.sink(),
                            .shell_command = [](const std::string& environment, const std::string& stage) {
                              return "open " + environment + " " + stage;
                            }});
    std::vector<EnvironmentStatus> all = two_stages();
    tell_failure(reporter, all, log);
  }
  std::string text = output.text();
  EXPECT_THAT(text, HasSubstr("configured: failed after 1 min 15 s, exit status 2\n"));
  EXPECT_THAT(text, HasSubstr("| line 30\n"));
  EXPECT_THAT(text, HasSubstr("| \\x1b]0;title\\x07red\n")) << "made harmless";
  EXPECT_THAT(text, Not(HasSubstr("line 2\n")));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr(log));
  EXPECT_THAT(text, HasSubstr("open debian-bookworm-minimal configured"));
}

// One untrusted name of each kind, with a character that changes the direction of text.
TEST(PlainReporter, ShowsWhatTurnsTextWhereverItComesFrom) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string log = (folder.path() / "x.log").string();
  write_file(log, "log\u202e\xc2\x9b\n");
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .verbose = true});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].name = "environment\u202e";
    all[0].stage_names[0] = "stage\u202e";
    all[0].stages[0] = {.state = StageState::Running, .detail = "detail\u202e", .log = log};
    reporter.changed(all, {0, 0});
    reporter.printed({0, 0}, "printed\u202e\n");
    reporter.note("note\u202e");
    all[0].stages[0] = {.state = StageState::Failed,
                        .detail = "failed\u202e\n::error::of an engine\u202e",
                        .log = log,
                        .image = "image\u202e"};
    reporter.changed(all, {0, 0});
    all[0].stages[0].findings = {{.package = "package\u202e",
                                  .message = "message\u202e",
                                  .file = "file\u202e",
                                  .line = 1,
                                  .excerpt = {"excerpt\u202e"}}};
    reporter.changed(all, {0, 0});
    reporter.ends(all, {.all = 1});
  }
  std::string text = output.text();
  EXPECT_THAT(text, Not(HasSubstr("\u202e")));
  EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  EXPECT_THAT(text, Not(HasSubstr("    ::error"))) << "blanks before a command do not make it text";
  for (const char* shown : {"environment", "stage", "detail", "printed", "note", "failed", "engine",
                            "package", "message", "file", "excerpt", "log"})
    EXPECT_THAT(text, HasSubstr(std::string(shown) + "\\u202e"));
}

TEST(PlainReporter, ALineWithoutAnEndTakesBoundedMemory) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .verbose = true});
    std::vector<EnvironmentStatus> all = two_stages();
    std::string piece(1u << 16, 'x');
    for (int i = 0; i < 160; ++i) reporter.printed({0, 0}, piece);
    reporter.printed({0, 0}, "\nnext\n");
    for (int i = 0; i < 16; ++i) reporter.printed({0, 0}, piece);
    all[0].stages[0] = {.state = StageState::Built, .seconds = 1};
    reporter.changed(all, {0, 0});
  }
  std::vector<std::string> lines = output.all_lines();
  ASSERT_GE(lines.size(), 4u);
  EXPECT_EQ(lines[0].size(), LineCutter::kMost + std::string("… (10.4 MB more of this line)").size());
  EXPECT_TRUE(lines[0].ends_with("x… (10.4 MB more of this line)"));
  EXPECT_EQ(lines[1], "next");
  EXPECT_TRUE(lines[2].ends_with("x… (983.0 kB more of this line)"));
}

TEST(PlainReporter, QuietSaysOnlyWhatFails) {
  TemporaryFolder folder(fs::temp_directory_path());
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .quiet = true});
    std::vector<EnvironmentStatus> all = two_stages();
    reporter.note("nobody hears this");
    tell_failure(reporter, all, (folder.path() / "absent.log").string());
  }
  std::string text = output.text();
  EXPECT_THAT(text, HasSubstr("configured: failed"));
  EXPECT_THAT(text, Not(HasSubstr("running")));
  EXPECT_THAT(text, Not(HasSubstr("nobody")));
  EXPECT_THAT(text, Not(HasSubstr("to build")));
  Output silent;
  {
    PlainReporter reporter({.print = silent.sink(), .quiet = true});
    std::vector<EnvironmentStatus> all = two_stages();
    reporter.begins(all);
    for (StageStatus& stage : all[0].stages) stage = {.state = StageState::Built, .seconds = 1};
    reporter.changed(all, {0, 0});
    reporter.changed(all, {0, 1});
    reporter.ends(all, {.all = 2});
  }
  EXPECT_EQ(silent.text(), "") << "where all is well it says nothing";
}

TEST(PlainReporter, MultiLineEngineErrorsAreReadable) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink()});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].stages[0] = {.state = StageState::Failed,
                        .detail = "docker commit: refused\nno space\x1b[31m left\n"};
    reporter.changed(all, {0, 0});
    reporter.note("a\x1b[31mb");
  }
  EXPECT_THAT(output.all_lines(), ElementsAre(HasSubstr("failed after 0.0 s, docker commit: refused"),
                                              "    no space\\x1b[31m left", "a\\x1b[31mb"));
}

TEST(PlainReporter, AHeartbeatSaysWhatRunsTheLongestFirst) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .heartbeat = std::chrono::milliseconds(1)});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].stage_names = {"one", "two", "three", "four", "five"};
    all[0].stages.resize(5);
    reporter.begins(all);
    std::size_t before = output.text().size();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(output.text().size(), before) << "nothing runs";
    for (std::size_t s : {4, 0, 1, 2, 3}) {
      all[0].stages[s].state = StageState::Running;
      reporter.changed(all, {0, s});
    }
    reporter.package({0, 4}, {.name = "gmp"});
    reporter.package({0, 4}, {.name = "zlib"});
    reporter.package({0, 4}, {.name = "gmp", .state = PackageState::Built});
    all[0].stages[3].state = StageState::Built;
    reporter.changed(all, {0, 3});
    before = output.text().size();
    auto told = [&] { return output.text().substr(before).find("1 of 5 stages done") != std::string::npos; };
    EXPECT_TRUE(test::holds_soon(told));
    EXPECT_THAT(
        output.text().substr(before),
        testing::ContainsRegex("1 of 5 stages done; running: debian-bookworm-minimal five \\([0-9. ]*s, "
                               "zlib\\), debian-bookworm-minimal one \\([0-9. ]*s\\), "
                               "debian-bookworm-minimal two \\([0-9. ]*s\\), 1 more\n"));
  }
  Output rarely;
  PlainReporter reporter({.print = rarely.sink()});
  std::vector<EnvironmentStatus> all = two_stages();
  all[0].stages[0].state = StageState::Running;
  reporter.changed(all, {0, 0});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_THAT(rarely.all_lines(), SizeIs(1)) << "a minute has not passed";
}

TEST(PlainReporter, BriefOutputOmitsImagesAndReusedStages) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .brief = true});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].stages[0] = {.state = StageState::Reused, .detail = "image:1"};
    reporter.changed(all, {0, 0});
    all[0].stages[1] = {.state = StageState::Built, .seconds = 12, .detail = "image:2"};
    reporter.changed(all, {0, 1});
  }
  EXPECT_THAT(output.all_lines(), ElementsAre("debian-bookworm-minimal  with-targets: built after 12 s"));
}

TEST(PlainReporter, AFailureShowsWhatItsLogSaysTheWorstFirst) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .rest_command = "report -v"});
    std::vector<EnvironmentStatus> all = two_stages();
    LogFinding finding{
        .package = "gmp", .message = "gmp.c:1: error: no\x1b[31m", .file = "/l/t.log", .line = 17};
    finding.excerpt = {"cc gmp.c", "::error::gmp.c:1"};
    LogFinding tests{.kind = LogFinding::Kind::TestFailure, .package = "nauty", .message = "not told here"};
    all[0].stages[0] = {
        .state = StageState::Failed, .seconds = 5, .detail = "exit status 2", .log = "/l/t.log"};
    all[0].stages[0].findings = {finding, tests, finding, finding, finding};
    reporter.changed(all, {0, 0});
  }
  std::vector<std::string> all = output.all_lines();
  ASSERT_THAT(all, SizeIs(14));
  EXPECT_EQ(all[1], "    gmp: gmp.c:1: error: no\\x1b[31m");
  EXPECT_EQ(all[2], "      /l/t.log:17");
  EXPECT_EQ(all[3], "    | cc gmp.c");
  EXPECT_THAT(all[4], Not(HasSubstr(" ::error"))) << "no command for a CI service";
  EXPECT_EQ(all.back(), "    and 1 more (report -v lists it)");
}

TEST(PlainReporter, AllErrorsOfALogCanBeListed) {
  StageStatus status;
  status.findings.resize(5, {.package = "gmp", .message = "no"});
  EXPECT_THAT(finding_lines(status, {.is_whole = true}), SizeIs(5));
  EXPECT_THAT(finding_lines(status, {}), ElementsAre("gmp: no", "gmp: no", "gmp: no", "and 2 more"));
}

TEST(PlainReporter, ColourOnlyWhereItIsWanted) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .color = true});
    std::vector<EnvironmentStatus> all = two_stages();
    all[0].stages[0].state = StageState::Built;
    reporter.changed(all, {0, 0});
    all[0].stages[1].state = StageState::Failed;
    reporter.changed(all, {0, 1});
  }
  EXPECT_THAT(output.text(), HasSubstr("\x1b[32mdebian-bookworm-minimal  configured: built"));
  EXPECT_THAT(output.text(), HasSubstr("\x1b[31mdebian-bookworm-minimal  with-targets: failed"));
}

TEST(PlainReporter, VerboseOutputShowsStagesLineByLine) {
  for (bool verbose : {false, true}) {
    Output output;
    {
      PlainReporter reporter({.print = output.sink(), .verbose = verbose});
      std::vector<EnvironmentStatus> all = two_stages();
      reporter.begins(all);
      all[0].stages[0].state = StageState::Running;
      reporter.changed(all, {0, 0});
      reporter.printed({0, 0}, "configure: war");
      reporter.printed({0, 0}, "ning: old\tnews\n10%\r100%\n\x1b[2Jend");
      all[0].stages[0].state = StageState::Built;
      reporter.changed(all, {0, 0});
    }
    std::vector<std::string> lines = output.all_lines();
    if (verbose) {
      ASSERT_THAT(lines, SizeIs(6));
      EXPECT_EQ(lines[2], "configure: warning: old\tnews");
      EXPECT_EQ(lines[3], "100%");
      EXPECT_EQ(lines[4], "\\x1b[2Jend");
    } else {
      EXPECT_THAT(lines, SizeIs(3));
    }
  }
}

TEST(PlainReporter, OfSeveralEnvironmentsEachLineSaysItsOwn) {
  Output output;
  {
    PlainReporter reporter({.print = output.sink(), .verbose = true});
    std::vector<EnvironmentStatus> all = two_stages();
    all.push_back(all[0]);
    all[1].name = "fedora-39-minimal";
    reporter.begins(all);
    reporter.printed({1, 0}, "a line\n");
  }
  EXPECT_THAT(output.all_lines(), Contains("fedora-39-minimal | a line"));
}

TEST(StatusTable, FitsEightyColumns) {
  std::vector<EnvironmentStatus> all;
  for (const char* name :
       {"debian-bookworm-minimal", "ubuntu-focal-standard", "fedora-37-python3.11-maximal"}) {
    EnvironmentStatus environment{
        .name = name, .stage_names = {"with-system-packages", "with-targets-optional"}, .stages = {}};
    environment.stages = {
        {.state = StageState::Reused,
         .image = "ghcr.io/someone/sage-a-very-long-image-name-with-system-packages:9.8-123-gabcdef"},
        {.state = StageState::Interrupted, .seconds = 7323}};
    all.push_back(environment);
  }
  std::string table = status_table(all, false);
  std::vector<std::string_view> rows = lines(table);
  ASSERT_EQ(rows.size(), 7u);
  for (std::string_view row : rows) EXPECT_LE(row.size(), 80u) << row;
  for (std::string_view row : rows) EXPECT_EQ(row.find("state") != std::string_view::npos, row == rows[0]);
  EXPECT_THAT(std::string(rows[2]), HasSubstr("2 h 02 min"));
}

TEST(StatusTable, OmitsStagesThatWereNotRequested) {
  std::vector<EnvironmentStatus> all = two_stages();
  all[0].stages[0].state = StageState::NotWanted;
  all[0].stages[1] = {.state = StageState::Built, .seconds = 3};
  EXPECT_THAT(status_table(all, false), Not(HasSubstr("configured")));
  EXPECT_EQ(status_table(all, true), "") << "of failures there is none";
  all[0].stages[0].state = StageState::Skipped;
  EXPECT_THAT(status_table(all, true), HasSubstr("configured"));
  EXPECT_THAT(status_table(all, true), Not(HasSubstr("with-targets")));
}

TEST(LastLines, AreTheLastOnesMadePrintable) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string file = (folder.path() / "log").string();
  EXPECT_THAT(last_lines(file, 10), IsEmpty()) << "it is not there";
  write_file(file, "");
  EXPECT_THAT(last_lines(file, 10), IsEmpty());
  write_file(file, "one\ntwo\nthree");
  EXPECT_THAT(last_lines(file, 2), ElementsAre("two", "three"));
  write_file(file, std::string(1 << 20, 'x') + "\nlast\xff\n");
  std::vector<std::string> tail = last_lines(file, 10);
  EXPECT_EQ(tail.back(), "last\\xff");
  EXPECT_LE(tail.front().size(), 300u) << "a megabyte in one line is cut";
}

TEST(Words, EachStateHasItsOwn) {
  std::vector<std::string> words;
  for (StageState state :
       {StageState::NotWanted, StageState::Waiting, StageState::Reused, StageState::Running,
        StageState::Built, StageState::Failed, StageState::Interrupted, StageState::Skipped})
    words.emplace_back(word(state));
  EXPECT_THAT(words, ElementsAre("not asked for", "waiting", "reused", "running", "built", "failed",
                                 "interrupted", "skipped"));
}

}  // namespace
}  // namespace stagemake
