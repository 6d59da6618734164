#include "report/verdict/verdict.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/text/text.h"
#include "report/verdict/verdict_words.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = FailureGroup::Kind;

LogFinding error_of(const std::string& package, const std::string& message) {
  return {.package = package, .message = message};
}
LogFinding tests_of(const std::string& package, const std::string& message) {
  return {.kind = LogFinding::Kind::TestFailure, .package = package, .message = message};
}

StageRecord stage(StageState state, std::vector<LogFinding> findings = {}, const std::string& detail = "") {
  StageRecord record{.name = "with-targets"};
  record.status = {.state = state, .detail = detail, .findings = std::move(findings)};
  return record;
}

struct OneStage {
  std::string environment;
  StageRecord stage;
};

RunRecord run_of(const std::string& revision, std::vector<OneStage> stages) {
  RunRecord run{.facts = {.revision = revision}};
  for (OneStage& one : stages) run.environments.push_back({.name = one.environment, .stages = {one.stage}});
  return run;
}

std::vector<std::string> told(const RunRecord& run, const std::vector<RunRecord>& before = {},
                              const std::vector<ExpectedFailure>& expected = {}) {
  return verdict_lines(run, verdict_of(run, before, expected));
}

const StageRecord kGiac = stage(StageState::Failed, {error_of("giac", "/usr/bin/ld: cannot find -lgmp")});
const StageRecord kR = stage(StageState::Failed, {error_of("r", "a.c:1: error: no")});

TEST(Verdict, AlikeOverSystems) {
  std::vector<OneStage> stages;
  for (int i = 0; i < 7; ++i)
    stages.push_back({fmt::format("fedora-{}", 30 + i),
                      stage(StageState::Failed, {error_of("giac", fmt::format("x.c:{}: error: no", i))})});
  stages.push_back({"arch", kR});
  stages.push_back({"gentoo", stage(StageState::Built)});
  RunRecord run = run_of("v9.8-3", stages);
  Verdict verdict = verdict_of(run, {}, {});
  EXPECT_THAT(verdict_lines(run, verdict),
              ElementsAre("giac fails on 7 systems since v9.8-3: x.c:0: error: no (fedora-30, fedora-31, "
                          "fedora-32 and 4 more)",
                          "r fails on arch since v9.8-3: a.c:1: error: no"));
  EXPECT_THAT(verdict_lines(run, verdict, {.how = "-v"})[0],
              EndsWith("(fedora-30, fedora-31, fedora-32 and 4 more; -v lists them)"));
  EXPECT_THAT(verdict_lines(run, verdict, {.is_whole = true})[0], EndsWith("fedora-35, fedora-36)"));
  EXPECT_EQ(verdict.environments, 9u);
  EXPECT_EQ(verdict.environments_well, 1u);
  EXPECT_EQ(verdict.unexpected(), 2u);
  ASSERT_THAT(verdict.groups[0].places, SizeIs(7));
  EXPECT_EQ(verdict.groups[0].places[6].environment, 6u);
  EXPECT_EQ(verdict.groups[0].places[6].finding, 0u);
}

TEST(Verdict, NewOnesFirstThenByHowManyThenByName) {
  RunRecord before = run_of("a", {{"arch", kR}, {"fedora", kR}});
  RunRecord run =
      run_of("b", {{"arch", kR},
                   {"debian", stage(StageState::Failed, {error_of("b", "x"), error_of("a", "x")})},
                   {"fedora", kR},
                   {"gentoo", stage(StageState::Failed, {error_of("c", "x")})},
                   {"void", stage(StageState::Failed, {error_of("c", "x")})}});
  EXPECT_THAT(told(run, {before}),
              ElementsAre("c fails on 2 systems since b: x (gentoo, void)", "a fails on debian since b: x",
                          "b fails on debian since b: x",
                          "r fails on 2 systems as before, since a: a.c:1: error: no (arch, fedora)"));
}

TEST(Verdict, SinceTheFirstRunOfTheSeries) {
  RunRecord run = run_of("e", {{"arch", kR}});
  RunRecord failed_d = run_of("d", {{"arch", kR}});
  RunRecord failed_c = run_of("c", {{"arch", kR}});
  RunRecord well = run_of("b", {{"arch", stage(StageState::Built)}});
  RunRecord failed_a = run_of("a", {{"arch", kR}});
  EXPECT_THAT(told(run, {failed_d, failed_c, well, failed_a}),
              ElementsAre("r fails on arch as before, since c: a.c:1: error: no"));
  EXPECT_THAT(told(run, {well, failed_a}), ElementsAre("r fails on arch since e: a.c:1: error: no"));
  RunRecord reused = run_of("b", {{"arch", stage(StageState::Reused)}});
  EXPECT_THAT(told(run, {reused, failed_a}), ElementsAre("r fails on arch since e: a.c:1: error: no"));
  // Runs that did not reach the package say nothing about it.
  std::vector<RunRecord> silent = {
      run_of("d", {{"fedora", kR}}),
      run_of("d", {}),
      run_of("d", {{"arch", stage(StageState::Interrupted, {error_of("r", "x")})}}),
      run_of("d", {{"arch", stage(StageState::Skipped)}}),
      run_of("d", {{"arch", kGiac}}),
      failed_a};
  EXPECT_THAT(told(run, silent), ElementsAre("r fails on arch as before, since a: a.c:1: error: no"));
  // A different message is a different failure, and a package that was built beside another's failure is
  // fine.
  RunRecord otherwise =
      run_of("d", {{"arch", stage(StageState::Failed, {error_of("r", "b.c:1: error: no")})}});
  EXPECT_THAT(told(run, {otherwise, failed_a}), ElementsAre("r fails on arch since e: a.c:1: error: no"));
  RunRecord built = run_of("d", {{"arch", kGiac}});
  built.environments[0].stages[0].packages = {{.name = "r-4.2.1", .state = PackageState::Built}};
  EXPECT_THAT(told(run, {built, failed_a}), ElementsAre("r fails on arch since e: a.c:1: error: no"));
}

TEST(Verdict, OnAtLeastOneSystemAsBefore) {
  RunRecord run = run_of("c", {{"arch", kR}, {"fedora", kR}});
  RunRecord second = run_of("b", {{"arch", kR}, {"fedora", stage(StageState::Built)}});
  RunRecord first = run_of("a", {{"arch", stage(StageState::Built)}, {"fedora", kR}});
  // In the first run, fedora's failure belongs to another series.
  EXPECT_THAT(told(run, {second, first}),
              ElementsAre("r fails on 2 systems as before, since b: a.c:1: error: no (arch, fedora)"));
}

TEST(Verdict, StagesWithoutFindings) {
  RunRecord run =
      run_of("", {{"arch", stage(StageState::Failed, {}, "exit status 2\nmore")},
                  {"fedora", stage(StageState::Failed)},
                  {"gentoo", stage(StageState::Interrupted, {error_of("r", "x")}, "the deadline")},
                  {"void", stage(StageState::Skipped, {}, "configured did not succeed")},
                  {"nix", stage(StageState::Reused, {error_of("r", "x")})},
                  {"conda", stage(StageState::NotWanted)}});
  Verdict verdict = verdict_of(run, {}, {});
  EXPECT_THAT(verdict_lines(run, verdict),
              ElementsAre("with-targets fails on fedora", "with-targets fails on arch: exit status 2"));
  EXPECT_EQ(verdict.groups[1].places[0].finding, FailurePlace::npos);
  EXPECT_EQ(verdict.environments_well, 2u);
  // A stage that failed because of a package before, and now fails by itself
  run = run_of("b", {{"arch", stage(StageState::Failed, {}, "exit status 2")}});
  RunRecord alike = run;
  EXPECT_THAT(told(run, {run_of("a", {{"arch", kR}}), alike}),
              ElementsAre("with-targets fails on arch since b: exit status 2"));
}

TEST(Verdict, PackagesFailDespiteIgnoredErrors) {
  RunRecord run = run_of("a", {{"arch", stage(StageState::Built, {error_of("r", "x")})}});
  Verdict verdict = verdict_of(run, {}, {});
  EXPECT_THAT(verdict_lines(run, verdict), ElementsAre("r fails on arch since a: x"));
  EXPECT_EQ(verdict.environments_well, 1u);
}

TEST(Verdict, APackageInTwoStagesOfASystemIsOneSystem) {
  RunRecord run = run_of("a", {{"arch", kR}});
  run.environments[0].stages.push_back(kR);
  EXPECT_THAT(told(run), ElementsAre("r fails on arch since a: a.c:1: error: no"));
  EXPECT_THAT(verdict_of(run, {}, {}).groups[0].places, SizeIs(2));
}

TEST(Verdict, Expected) {
  RunRecord run = run_of("b", {{"arch", kR}, {"fedora-38-minimal", kR}, {"fedora-39-minimal", kR}});
  std::vector<ExpectedFailure> expected = {
      {.name = "r", .environments = {"docker-fedora-*"}, .why = "issue 12"}, {.name = "giac", .line = 3}};
  Verdict verdict = verdict_of(run, {run_of("a", {{"arch", kR}, {"fedora-38-minimal", kR}})}, expected);
  EXPECT_THAT(
      verdict_lines(run, verdict),
      ElementsAre("r fails on arch as before, since a: a.c:1: error: no",
                  "r fails on 2 systems, as expected (issue 12): a.c:1: error: no (fedora-38-minimal, "
                  "fedora-39-minimal)"));
  EXPECT_EQ(verdict.unexpected(), 1u);
  EXPECT_EQ(verdict.groups[1].since, "a");
  EXPECT_THAT(verdict.unexpectedly_well, IsEmpty());
  // A stage may be expected to fail, because of any package.
  EXPECT_THAT(told(run, {}, {{.name = "with-targets"}}),
              ElementsAre("r fails on 3 systems, as expected: a.c:1: error: no (arch, fedora-38-minimal, "
                          "fedora-39-minimal)"));
}

TEST(Verdict, UnexpectedlyWell) {
  RunRecord run = run_of("b", {{"arch", stage(StageState::Built)}, {"fedora", kR}});
  run.environments[0].stages[0].packages = {{.name = "giac", .state = PackageState::Built}};
  std::vector<ExpectedFailure> expected = {{.name = "giac", .environments = {"arch", "g*"}, .line = 4},
                                           {.name = "giac", .environments = {"fedora"}},
                                           {.name = "r"},
                                           {.name = "with-targets", .environments = {"arch"}},
                                           {.name = "unheard-of"}};
  EXPECT_THAT(told(run, {}, expected),
              ElementsAre("r fails on fedora, as expected: a.c:1: error: no",
                          "giac was expected to fail on arch, g* (line 4) but succeeded",
                          "with-targets was expected to fail on arch but succeeded"));
}

TEST(Verdict, FailuresOfTests) {
  RunRecord run = run_of(
      "b", {{"arch", stage(StageState::Built, {tests_of("gmp", "FAIL: t-gcd")})},
            {"fedora", stage(StageState::Failed, {error_of("r", "x"), tests_of("gmp", "FAIL: t-gcd")})}});
  Verdict verdict = verdict_of(run, {}, {});
  EXPECT_THAT(
      verdict_lines(run, verdict),
      ElementsAre("r fails on fedora since b: x",
                  "gmp is built, but its tests fail on 2 systems since b: FAIL: t-gcd (arch, fedora)"));
  EXPECT_EQ(verdict.unexpected(), 1u);
  EXPECT_EQ(verdict.environments_well, 1u);
  EXPECT_THAT(
      told(run, {run}),
      ElementsAre("r fails on fedora as before, since b: x",
                  "gmp is built, but its tests fail on 2 systems as before, since b: FAIL: t-gcd (arch, "
                  "fedora)"));
}

TEST(Verdict, ForeignTextIsMadePrintable) {
  std::string long_message = std::string(1000, 'a');
  RunRecord run =
      run_of("\x1b", {{"a\nb", stage(StageState::Failed, {error_of("r\x01", "\xff " + long_message)})}});
  EXPECT_THAT(told(run),
              ElementsAre("r\\x01 fails on a\\x0ab since \\x1b: \\xff " + std::string(158, 'a') + "…"));
  EXPECT_THAT(told(RunRecord()), IsEmpty());
}

TEST(Verdict, ManySystemsAndRuns) {
  std::vector<OneStage> stages;
  for (int i = 0; i < 1000; ++i) {
    std::vector<LogFinding> findings;
    for (int k = 0; k < 10; ++k) findings.push_back(error_of(fmt::format("p{}", k), "x.c:1: error: no"));
    stages.push_back({fmt::format("s{}", i), stage(StageState::Failed, findings)});
  }
  RunRecord run = run_of("b", stages);
  Verdict verdict = verdict_of(run, std::vector<RunRecord>(5, run), {{.name = "p3", .environments = {"s?"}}});
  ASSERT_THAT(verdict.groups, SizeIs(11));
  EXPECT_THAT(verdict.groups[0].places, SizeIs(1000));
  EXPECT_EQ(verdict.groups[0].kind, Kind::Again);
  EXPECT_THAT(verdict.groups[10].places, SizeIs(10));
}

TEST(ExpectedFailures, AreRead) {
  std::vector<ExpectedFailure> all =
      read_expected_failures("known.txt",
                             "# what we know of\n"
                             "\n"
                             "giac\n"
                             "  r fedora-* arch-[ab]?-minimal  # issue 12 # and 13\r\n"
                             "with-targets-optional debian-*");
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].name, "giac");
  EXPECT_EQ(all[0].line, 3u);
  EXPECT_THAT(all[0].environments, IsEmpty());
  EXPECT_EQ(all[1].name, "r");
  EXPECT_THAT(all[1].environments, ElementsAre("fedora-*", "arch-[ab]?-minimal"));
  EXPECT_EQ(all[1].why, "issue 12 # and 13");
  EXPECT_EQ(all[2].line, 5u);
  EXPECT_THAT(read_expected_failures("x", ""), IsEmpty());
}

TEST(ExpectedFailures, AllFaultsAreReported) {
  try {
    read_expected_failures("known.txt", "r[ab]\nr a[b\ngiac\n\x1bx (a)\nr # \xff\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    EXPECT_STREQ(error.what(),
                 "known.txt:1: r[ab] is not the name of a package or stage\n"
                 "known.txt:2: a[b is not an environment pattern\n"
                 "known.txt:4: (a) is not an environment pattern\n"
                 "known.txt:4: \\x1bx is not the name of a package or stage\n"
                 "known.txt:5: the text after # is not UTF-8");
  }
}

}  // namespace
}  // namespace stagemake
