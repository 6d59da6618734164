#include "report/ci/ci_output.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>

#include "base/error.h"
#include "base/files/files.h"
#include "base/text/text.h"
#include "report/ci/step_summary.h"
#include "report/made_run.h"
#include "report/terminal/live_view.h"
#include "report/terminal/plain_reporter.h"
#include "report/verdict/verdict.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

// One environment for each finding; it fails with this finding.
RunRecord run_of(const std::vector<LogFinding>& findings) {
  RunRecord run{.facts = {.distribution = "sage", .revision = "v9.8-3", .engine = "docker"},
                .began = 1000,
                .ended = 1090};
  for (std::size_t i = 0; i < findings.size(); ++i) {
    StageRecord stage{.name = "with-targets"};
    bool built = findings[i].kind == LogFinding::Kind::TestFailure;
    stage.status = {.state = built ? StageState::Built : StageState::Failed,
                    .seconds = 75,
                    .log = fmt::format("/runs/logs/s{}/with-targets.log", i),
                    .findings = {findings[i]}};
    run.environments.push_back({.name = fmt::format("s{}", i), .stages = {stage}});
  }
  return run;
}

std::string annotations(const RunRecord& run, const std::vector<ExpectedFailure>& expected = {}) {
  return github_annotations(run, verdict_of(run, {}, expected), "/runs");
}

std::string summary(const RunRecord& run, std::size_t most = kLargestStepSummary) {
  return github_step_summary(run, verdict_of(run, {}, {}), most);
}

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

TEST(CiService, IsKnownByItsVariables) {
  std::map<std::string, std::string> variables;
  auto service = [&] { return ci_service([&](const char* name) { return variables[name]; }); };
  EXPECT_EQ(service(), CiService::None);
  variables["GITLAB_CI"] = "true";
  EXPECT_EQ(service(), CiService::GitLab);
  variables["GITHUB_ACTIONS"] = "true";
  EXPECT_EQ(service(), CiService::GitHub);
  variables = {{"GITHUB_ACTIONS", "false"}, {"GITLAB_CI", ""}};
  EXPECT_EQ(service(), CiService::None);
}

TEST(Annotations, NewFailuresAreErrorsAndOthersWarnings) {
  RunRecord run =
      run_of({{.package = "giac", .message = "ld: cannot find -lgmp", .line = 12},
              {.package = "giac", .message = "ld: cannot find -lgmp", .line = 13},
              {.package = "r", .message = "100% wrong", .file = "/runs/logs/r,1:2.log", .line = 7},
              {.kind = LogFinding::Kind::TestFailure, .package = "gmp", .message = "FAIL: t"}});
  EXPECT_EQ(
      annotations(run, {{.name = "r", .why = "known"}}),
      "::error title=giac fails on 2 systems since v9.8-3,file=logs/s0/with-targets.log,line=12::"
      "ld: cannot find -lgmp%0Aon s0, s1\n"
      "::warning title=r fails on s2%2C as expected (known),file=logs/r%2C1%3A2.log,line=7::100%25 wrong\n"
      "::warning title=gmp is built%2C but its tests fail on s3 since v9.8-3,"
      "file=logs/s3/with-targets.log::FAIL: t\n");
}

TEST(Annotations, AreInert) {
  RunRecord run = run_of({{.package = "r,file=x::", .message = "a\r\n::error::b\xff%0A", .line = 1}});
  std::string text = annotations(run);
  EXPECT_EQ(text,
            "::error title=r%2Cfile=x%3A%3A fails on s0 since v9.8-3,file=logs/s0/with-targets.log,line=1::"
            "a\\x0d\\x0a::error::b\\xff%250A\n");
  EXPECT_THAT(lines(text), SizeIs(1));
}

TEST(Annotations, StayWithinTheLimits) {
  std::vector<LogFinding> findings;
  for (int i = 0; i < 25; ++i)
    findings.push_back({.package = fmt::format("new{:02}", i), .message = "x", .line = 1});
  findings.push_back({.package = "new24", .message = "x", .line = 1});  // on two systems: the worst
  for (int i = 0; i < 11; ++i) findings.push_back({.package = "known", .message = fmt::format("m{} x", i)});
  std::string text = annotations(run_of(findings), {{.name = "known"}});
  EXPECT_EQ(count_of(text, "::error "), kMostAnnotations);
  EXPECT_EQ(count_of(text, "::warning "), kMostAnnotations);
  EXPECT_TRUE(text.starts_with("::error title=new24 fails on 2 systems"));
  EXPECT_THAT(text, HasSubstr("::notice title=Not all failures are annotated::15 more new failures, "
                              "1 more known or test failure: see the summary, or the end of the log\n"));
}

TEST(Annotations, NoneIfEverythingSucceeds) {
  EXPECT_EQ(annotations(run_of({})), "");
  RunRecord run = run_of({{.kind = LogFinding::Kind::TestFailure, .package = "gmp", .message = "x"}});
  run.environments[0].stages[0].packages = {{.name = "r", .state = PackageState::Built}};
  EXPECT_THAT(annotations(run, {{.name = "r"}}),
              HasSubstr("::notice title=Expected to fail but succeeded::r\n"));
}

TEST(StepSummary, ListsFailuresWithTheirPlaces) {
  RunRecord run = run_of({{.package = "giac",
                           .message = "ld: cannot find -lgmp",
                           .line = 12,
                           .excerpt = {"cc -o giac", "ld: cannot find -lgmp"}}});
  run.environments[0].stages.push_back({.name = "with-|", .status = {.state = StageState::Skipped}});
  run.environments.push_back(
      {.name = "well", .stages = {{.name = "a", .status = {.state = StageState::Built}}}});
  EXPECT_EQ(
      summary(run),
      "## 1 of 2 environments did not succeed\n\n"
      "sage, v9.8-3, docker, 1 stage built, 1 stage failed, 1 stage skipped, in 1 min 30 s\n\n"
      "### New failures\n\n"
      "<details><summary>giac fails on s0 since v9.8-3: <code>ld&#58; cannot find -lgmp</code></summary>\n\n"
      "On s0.\n\n"
      "s0 with-targets: <code>/runs/logs/s0/with-targets.log</code>, line 12\n\n"
      "```text\ncc -o giac\nld: cannot find -lgmp\n```\n\n"
      "</details>\n\n"
      "### Environments that did not succeed\n\n"
      "| environment | with-targets | with-&#124; |\n"
      "|---|---|---|\n"
      "| s0 | **failed**, 1 min 15 s | skipped |\n\n");
  EXPECT_EQ(summary(run_of({})), "## 0 environments succeeded\n\nsage, v9.8-3, docker, in 1 min 30 s\n\n");
}

TEST(StepSummary, LogTextStaysInItsPlace) {
  RunRecord run = run_of({{.package = "</summary>|`*_[x](y)",
                           .message = "</code><script>@a #1 | ``` \n## no",
                           .excerpt = {"```", "````text ``", "</details>", "\x1b[0m\xff"}}});
  std::string text = summary(run);
  EXPECT_THAT(text, HasSubstr("\n`````text\n```\n````text ``\n</details>\n\\x1b[0m\\xff\n`````\n\n"));
  EXPECT_EQ(count_of(text, "<script>"), 0u);
  EXPECT_EQ(count_of(text, "</summary>"), 1u);
  EXPECT_EQ(count_of(text, "</code>"), 2u);
  EXPECT_EQ(count_of(text, "\n## "), 0u);
}

TEST(StepSummary, NeverLargerThanAllowed) {
  std::vector<LogFinding> findings;
  for (int i = 0; i < 1000; ++i)
    findings.push_back({.package = fmt::format("p{}", i),
                        .message = std::string(500, i % 2 == 0 ? '|' : '\x01'),
                        .line = 1,
                        .excerpt = std::vector<std::string>(kExcerptLines, std::string(500, '`'))});
  RunRecord run = run_of(findings);
  std::string text = summary(run);
  EXPECT_LE(text.size(), kLargestStepSummary);
  EXPECT_GT(text.size(), kLargestStepSummary * 9 / 10);
  EXPECT_THAT(text, HasSubstr("Left out for lack of space: the lines of the logs of "));
  EXPECT_TRUE(is_utf8(text));
  for (std::size_t most : {0u, 100u, 1000u, 2000u, 5000u, 20000u, 100000u}) {
    text = summary(run, most);
    EXPECT_LE(text.size(), most);
    EXPECT_EQ(count_of(text, "<details>"), count_of(text, "</details>"));
    EXPECT_EQ(count_of(text, "```text\n") * 2, count_of(text, "```text\n") + count_of(text, "```\n"));
    if (most >= 1000) {
      EXPECT_THAT(text, HasSubstr(" failures, "));
      EXPECT_TRUE(text.ends_with(" environments.\n")) << text.substr(text.size() - 100);
    }
  }
}

TEST(StepSummary, LinesOfLogsAreLeftOutFirst) {
  std::vector<LogFinding> findings;
  for (int i = 0; i < 3; ++i)
    findings.push_back(
        {.package = fmt::format("p{}", i), .message = "x", .excerpt = {std::string(1000, 'a')}});
  RunRecord run = run_of(findings);
  std::string text = summary(run, 3500);
  EXPECT_EQ(count_of(text, "<details>"), 3u);
  EXPECT_EQ(count_of(text, std::string(1000, 'a')), 2u);
  EXPECT_THAT(text, HasSubstr("| s2 |"));
  EXPECT_TRUE(text.ends_with("Left out for lack of space: the lines of the logs of 1 failure.\n"));
  EXPECT_THAT(summary(run), Not(HasSubstr("Left out")));
}

TEST(StepSummary, SharesItsFileWithWhatTheStepWroteBefore) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "summary";
  std::vector<LogFinding> findings;
  for (int i = 0; i < 3000; ++i)
    findings.push_back(
        {.package = fmt::format("p{}", i), .message = "m", .excerpt = {std::string(500, 'x')}});
  RunRecord run = run_of(findings);
  Verdict verdict = verdict_of(run, {}, {});
  EXPECT_TRUE(add_step_summary(file, run, verdict)) << "it is not there yet";
  std::uintmax_t alone = fs::file_size(file);
  EXPECT_GT(alone, kLargestStepSummary / 10 * 8);
  EXPECT_LE(alone, kLargestStepSummary);

  write_file(file, std::string(kLargestStepSummary - 100'000, 'b'));
  EXPECT_TRUE(add_step_summary(file, run, verdict));
  EXPECT_GT(fs::file_size(file), kLargestStepSummary - 20'000);
  EXPECT_LE(fs::file_size(file), kLargestStepSummary);

  for (std::size_t held : {kLargestStepSummary - 100, kLargestStepSummary, kLargestStepSummary + 1}) {
    write_file(file, std::string(held, 'b'));
    EXPECT_FALSE(add_step_summary(file, run, verdict));
    EXPECT_EQ(fs::file_size(file), held);
  }
  EXPECT_THROW(add_step_summary(folder.path(), run, verdict), Error) << "a folder";
}

TEST(Folded, ByService) {
  std::vector<std::string> log = {"a", "::error::b", "##[group]c", "section_end:1:x\r\x1b[0K"};
  EXPECT_EQ(folded(CiService::GitHub, "s0.a", "s0 a:\n100%", log, 0),
            "::group::s0 a:\\x0a100%25\n| a\n| : :error::b\n| # #[group]c\n"
            "| section_end:1:x\\x0d\\x1b[0K\n::endgroup::\n");
  EXPECT_EQ(folded(CiService::GitLab, "s0:a b", "the end", {"a"}, 1234),
            "\x1b[0Ksection_start:1234:stagemake_s0_a_b[collapsed=true]\r\x1b[0Kthe end\n| a\n"
            "\x1b[0Ksection_end:1234:stagemake_s0_a_b\r\x1b[0K\n");
  EXPECT_EQ(folded(CiService::None, "x", "::error::t", {"a"}, 0), ": :error::t\n| a\n");
}

// All text forms of a run in which every name and message has characters that change the direction of text or
// control terminals.
TEST(AllForms, ShowBidirectionalControls) {
  MadeRun made = hostile_run();
  std::string all = github_annotations(made.run, made.verdict);
  all += github_step_summary(made.run, made.verdict);
  all += folded(CiService::GitHub, "x", made.run.environments[0].name, {made.run.environments[0].name}, 1);
  for (const std::string& line : verdict_lines(made.run, made.verdict)) all += line + "\n";
  std::vector<EnvironmentStatus> statuses(1);
  statuses[0].name = made.run.environments[0].name;
  statuses[0].stage_names = {made.run.environments[0].stages[0].name};
  statuses[0].stages = {made.run.environments[0].stages[0].status};
  all += status_table(statuses, false);
  for (bool log : {false, true}) {
    LiveOptions live{.columns = 400, .rows = 100};
    if (log) live.log = StageAddress{0, 0};
    live.tail = {printable(made.run.facts.tree.substr(0, 300))};
    for (const std::string& line : live_block(made.run, 10, live)) all += line + "\n";
  }
  EXPECT_THAT(all, testing::HasSubstr("\\u202e"));
  EXPECT_TRUE(is_utf8(all));
  for (const char* hidden : {"\u202e", "\x1b", "\xc2\x9b"})
    EXPECT_EQ(all.find(hidden), all.npos) << printable(hidden);
}

TEST(Harmless, NoCommandIsLeft) {
  EXPECT_EQ(harmless("::error::x"), ": :error::x");
  EXPECT_EQ(harmless(" \t\v::error::x"), " \t\v: :error::x");
  EXPECT_EQ(harmless("\xc2\xa0\xe2\x80\x8b::error::x"),
            "\xc2\xa0\xe2\x80\x8b: :error::x");  // Unicode blanks
  EXPECT_EQ(harmless("a ##[error]x ###vso[y"), "a # #[error]x # # #vso[y");
  EXPECT_EQ(harmless("std::string"), "std::string");
  EXPECT_EQ(harmless(":"), ":");
  EXPECT_EQ(harmless(""), "");
}

TEST(CiReporter, TheEndOfAFailedStagesLog) {
  TemporaryFolder folder(fs::temp_directory_path());
  std::string log = (folder.path() / "a.log").string();
  std::string text;
  for (int i = 1; i <= 150; ++i) text += fmt::format("line {}\n", i);
  write_file(log, text);
  std::string printed;
  {
    CiReporter reporter(
        {.service = CiService::GitHub, .print = [&](std::string_view piece) { printed += piece; }});
    std::vector<EnvironmentStatus> all = {{.name = "s0", .stage_names = {"a"}, .stages = {{}}}};
    reporter.begins(all);
    all[0].stages[0] = {.state = StageState::Built, .log = log};
    reporter.changed(all, {0, 0});
    all[0].stages[0].state = StageState::Failed;
    reporter.changed(all, {0, 0});
    reporter.ends(all, {.all = 1});
  }
  EXPECT_TRUE(printed.starts_with("::group::s0 a: the end of " + log + "\n| line 51\n| line 52\n"))
      << printed;
  EXPECT_TRUE(printed.ends_with("| line 150\n::endgroup::\n"));
}

}  // namespace
}  // namespace stagemake
