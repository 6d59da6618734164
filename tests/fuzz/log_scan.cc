// A stage's log. Its first byte says how the recipe ended.
#include "report/log/log_scan.h"

#include <algorithm>

#include "base/text/text.h"
#include "fuzz.h"
#include "report/ci/ci_output.h"
#include "report/ci/step_summary.h"
#include "report/log/log_message.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

constexpr std::size_t kLongestText = 512;  // bytes of a message or of a line of an excerpt

void check(const LogFinding& finding, std::size_t lines_of_log) {
  require(finding.line <= lines_of_log, "a finding's line is one of the log", finding.message);
  require(finding.message.size() <= kLongestText, "a message is short", finding.message);
  require(finding.message.find('\n') == std::string::npos, "a message is a line", finding.message);
  require(finding.excerpt.size() <= kExcerptLines, "an excerpt is short", finding.message);
  require(finding.line > 0 || finding.excerpt.empty(), "what has no line has no excerpt", finding.message);
  for (const std::string& line : finding.excerpt) {
    require(line.size() <= kLongestText, "an excerpt's lines are short", line);
    require(line.find_first_of("\n\r") == std::string::npos, "an excerpt's lines are lines", line);
  }
}

// Findings where they are shown.
void check_shown(const RunRecord& run, const Verdict& verdict) {
  std::string commands = github_annotations(run, verdict);
  for (std::string_view line : lines(commands)) {
    require(line.starts_with("::error ") || line.starts_with("::warning ") || line.starts_with("::notice "),
            "each line is one of our commands", line);
    require(printable(line) == line, "commands are printable", line);
  }
  std::string summary = github_step_summary(run, verdict, 20000);
  require(summary.size() <= 20000, "a summary stays within its bounds");
  require(is_utf8(summary), "a summary is UTF-8", summary);
  for (const std::string& line : verdict_lines(run, verdict))
    require(printable(line) == line, "a verdict is printable", line);
}

}  // namespace

std::string answer_to(std::string_view input) {
  constexpr RecipeEnd kEnds[] = {RecipeEnd::Ignored, RecipeEnd::Badly, RecipeEnd::Well};
  RecipeEnd end = kEnds[input.empty() ? 0 : static_cast<unsigned char>(input[0]) % std::size(kEnds)];
  std::string_view log = input.substr(std::min<std::size_t>(input.size(), 1));
  auto lines_of_log = static_cast<std::size_t>(std::count(log.begin(), log.end(), '\n')) + 1;
  std::vector<LogFinding> findings = scan_log(log, end);
  require(findings.size() <= kMostFindings, "so many findings at most");
  bool tests = false;
  std::string answer;
  for (const LogFinding& finding : findings) {
    check(finding, lines_of_log);
    bool is_tests = finding.kind == LogFinding::Kind::TestFailure;
    require(is_tests || !tests, "errors come before failures of tests", finding.message);
    tests = is_tests;
    tell(answer, {finding.package, finding.version, finding.message, finding.file,
                  std::to_string(finding.line), comparable(finding.message)});
    tell(answer, finding.excerpt);
  }
  StageRecord stage{.name = "with-targets"};
  stage.status = {.state = end == RecipeEnd::Badly ? StageState::Failed : StageState::Built,
                  .log = "/logs/a.log",
                  .findings = findings};
  RunRecord run;
  run.environments.push_back({.name = "debian-bookworm-minimal", .stages = {stage}});
  check_shown(run, verdict_of(run, {run}, {}));
  tell(answer, comparable(log));
  return answer;
}

void add_seeds(const fs::path&, const SeedSink& seed) {
  seed(
      "1[gmp-6.2.1] installing. Log file: /sage/logs/pkgs/gmp-6.2.1.log\n"
      "  [gmp-6.2.1] error installing, exit status 1. End of log file:\n"
      "  [gmp-6.2.1]   [spkg-install] src/mpfr.c:18:10: error: 'missing' undeclared\n"
      "  [gmp-6.2.1]   Error installing package gmp-6.2.1\n"
      "  [gmp-6.2.1] Full log file: /sage/logs/pkgs/gmp-6.2.1.log\n"
      "make[4]: *** [Makefile:2990: gmp-SAGE_LOCAL-no-deps] Error 1\n"
      "make[3]: *** No rule to make target 'x', needed by 'y'.  Stop.\n");
  seed(
      "0[gmp-6.2.1] gmp-6.2.1\n[gmp-6.2.1] =====\n[gmp-6.2.1] \x1b[1mFAIL: x\x1b[0m\r20%\r30%\n"
      "[gmp-6.2.1] Warning: Failures testing package gmp-6.2.1 (ignored)\n"
      "[gmp-6.2.1] Successfully installed gmp-6.2.1\n[notedown] ModuleNotFoundError: No module named 'b'\n");
  seed(
      "1The following package(s) may have failed to build (not necessarily\n* package:         gmp-6.2.1\n"
      "  last build time: Nov 23 02:31\n  log file:        /sage/logs/pkgs/gmp-6.2.1.log\n"
      "Warning: the following package(s) may have failed their test suites\n* package: r-1 log file: "
      "/a.log\n");
  seed(
      "1r-4.2.1\n=====\nCMake Error at CMakeLists.txt:12 (find_package):\n  By not providing\n"
      "/tmp/ccAb12.o: in function `main': undefined reference to ‘x’ 0x12ab make -j8 12:34:56 2024-01-02\n"
      "Successfully installed r-4.2.1\nsage -t a.py  # 3 doctests failed\nE: Unable to locate package x\n");
  seed(repeated("1", "[a-1] x.c:1: error: y\n", "[a-1] Error installing package a-1\n"));
  seed(repeated("1", "\x1b[", "m\n"));
  seed(repeated("0", "* package: ", "package(s) may have failed"));
}

}  // namespace stagemake
