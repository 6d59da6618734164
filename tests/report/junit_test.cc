#include "report/ci/junit.h"

#include <gmock/gmock.h>

#include "report/made_run.h"
#include "report/markup.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Element read(const MadeRun& made) {
  return read_xml(junit_report(made.input()));
}

// "class name time [what: message]"
std::vector<std::string> cases(const Element& root) {
  std::vector<std::string> result;
  for (const Element* one : root.all("testcase")) {
    std::string text =
        one->attribute("classname") + " " + one->attribute("name") + " " + one->attribute("time");
    for (const Element& child : one->children) text += " " + child.name + ": " + child.attribute("message");
    result.push_back(text);
  }
  return result;
}

std::string counts(const Element& element) {
  return element.attribute("tests") + " " + element.attribute("failures") + " " +
         element.attribute("errors") + " " + element.attribute("skipped") + " " + element.attribute("time");
}

TEST(Junit, ASuitePerEnvironmentACasePerStageAndPackage) {
  Element root = read(small_run());
  EXPECT_EQ(root.name, "testsuites");
  EXPECT_EQ(root.attribute("name"), "mini");
  EXPECT_EQ(counts(root), "5 1 0 2 47.000");
  const Element& suite = root.one("testsuite");
  EXPECT_EQ(suite.attribute("name"), "debian-12.1-minimal");
  EXPECT_EQ(suite.attribute("timestamp"), "1970-01-01T00:16:40");
  EXPECT_EQ(suite.attribute("hostname"), "host");
  EXPECT_EQ(counts(suite), "5 1 0 2 43.500");
  EXPECT_THAT(cases(root), ElementsAre("debian-12_1-minimal configured 10.000",
                                       "debian-12_1-minimal with-targets 33.500 skipped: failed with gmp",
                                       "debian-12_1-minimal.with-targets zlib 10.000",
                                       "debian-12_1-minimal.with-targets gmp 30.000 failure: ld: no <crt1.o>",
                                       "debian-12_1-minimal.with-targets mpfr 0.000 skipped: not begun"));
  EXPECT_EQ(root.one("failure").text,
            "cc -o \"a\" & b\nld: no <crt1.o>\nlog: /l/t.log:77\n"
            "again: stagemake build debian-12.1-minimal --to with-targets --tree /home/builder/sage\n");
}

TEST(Junit, ExpectedFailuresAreSkippedUntilAnotherFails) {
  MadeRun made = small_run();
  made.verdict.groups[0].kind = FailureGroup::Kind::Expected;
  made.verdict.groups[0].why = "bug 7";
  Element root = read(made);
  EXPECT_EQ(counts(root), "5 0 0 3 47.000");
  EXPECT_THAT(cases(root)[1], HasSubstr("skipped: expected: bug 7"));
  EXPECT_THAT(cases(root)[3], HasSubstr("skipped: expected: bug 7"));
  made.verdict.groups[0].why.clear();
  EXPECT_THAT(cases(read(made))[3], HasSubstr("skipped: expected: ld: no <crt1.o>"));
  made.run.environments[0].stages[1].status.findings.push_back({.package = "zlib", .message = "bad"});
  made.verdict.groups.push_back({.name = "zlib", .message = "bad", .places = {{0, 1, 1}}});
  made.run.environments[0].stages[1].packages[0].state = PackageState::Failed;
  root = read(made);
  EXPECT_EQ(counts(root), "5 1 0 3 47.000") << "the stage fails with zlib, gmp is still expected";
  EXPECT_THAT(cases(root)[1], HasSubstr("skipped: failed with zlib"));
  EXPECT_THAT(cases(root)[2], HasSubstr("zlib 10.000 failure: bad"));
}

TEST(Junit, AStageThatFailsByItselfTooIsAFailureBesideItsPackages) {
  MadeRun made = small_run();
  StageRecord& stage = made.run.environments[0].stages[1];
  std::size_t own = stage.status.findings.size();
  stage.status.findings.push_back({.message = "no space left on device", .line = 99});
  made.verdict.groups.push_back({.message = "no space left on device", .places = {{0, 1, own}}});
  Element root = read(made);
  EXPECT_EQ(counts(root), "5 2 0 1 47.000");
  EXPECT_THAT(cases(root)[1], HasSubstr("with-targets 33.500 failure: no space left on device"));
}

TEST(Junit, AStageOfWhichNoPackageIsKnownToHaveFailedIsTheFailure) {
  MadeRun made = small_run();
  StageStatus& status = made.run.environments[0].stages[1].status;
  made.run.environments[0].stages[1].packages.clear();
  status.findings.clear();
  status.detail = "make: *** [all] Error 2";
  made.verdict.groups.clear();
  Element root = read(made);
  EXPECT_EQ(counts(root), "2 1 0 0 47.000");
  EXPECT_THAT(cases(root)[1], HasSubstr("failure: make: *** [all] Error 2"));
}

TEST(Junit, AStateOfEachKind) {
  MadeRun made = small_run();
  EnvironmentRecord& environment = made.run.environments[0];
  environment.stages.resize(1);
  made.verdict.groups.clear();
  auto add = [&](StageState state, const std::string& detail, double seconds) {
    environment.stages.push_back(
        {.name = std::string(word(state)), .status = {.state = state, .seconds = seconds, .detail = detail}});
  };
  add(StageState::Reused, "i:7", 5);
  add(StageState::NotWanted, "", 0);
  add(StageState::Interrupted, "deadline\nmore", 6);
  add(StageState::Skipped, "a stage before it failed", 0);
  add(StageState::Waiting, "", 0);
  add(StageState::Running, "from i:1", 0);
  add(StageState::Failed, "no space\non disk", 7);
  Element root = read(made);
  EXPECT_THAT(cases(root),
              ElementsAre(StartsWith("debian-12_1-minimal configured"), "debian-12_1-minimal reused 0.000",
                          "debian-12_1-minimal interrupted 6.000 error: interrupted: deadline",
                          "debian-12_1-minimal skipped 0.000 skipped: a stage before it failed",
                          "debian-12_1-minimal waiting 0.000 skipped: waiting",
                          "debian-12_1-minimal running 0.000 skipped: running",
                          "debian-12_1-minimal failed 7.000 failure: no space"));
  EXPECT_EQ(counts(root.one("testsuite")), "7 1 1 3 23.000");
}

TEST(Junit, APackageThatOnlyTheLogNamesIsACase) {
  MadeRun made = small_run();
  made.run.environments[0].stages[1].packages.clear();
  EXPECT_THAT(cases(read(made)),
              ElementsAre(HasSubstr("configured"), HasSubstr("with-targets"),
                          "debian-12_1-minimal.with-targets gmp 0.000 failure: ld: no <crt1.o>"));
}

TEST(Junit, APackageThatWasTriedTwiceIsWhatBecameOfIt) {
  MadeRun made = small_run();
  made.run.environments[0].stages[1].packages.push_back({"gmp", PackageState::Built, 1044, 1045});
  EXPECT_THAT(cases(read(made))[3], "debian-12_1-minimal.with-targets gmp 1.000");
}

TEST(Junit, FailedTestsOfABuiltPackageAreReported) {
  MadeRun made = small_run();
  made.run.environments[0].stages[1].status.findings.push_back(
      {.kind = LogFinding::Kind::TestFailure, .package = "zlib", .message = "1 of 9 failed", .line = 5});
  Element root = read(made);
  EXPECT_EQ(counts(root), "5 1 0 2 47.000") << "it is no failure";
  EXPECT_EQ(root.one("system-out").text, "its own tests failed: 1 of 9 failed\nlog: /l/t.log:5\n");
}

TEST(Junit, CountsOfManyAddUp) {
  Element root = read(made_run(54));
  std::vector<const Element*> suites = root.all("testsuite");
  ASSERT_EQ(suites.size(), 54u);
  std::size_t failures = 0, skipped = 0;
  for (const Element* suite : suites) {
    EXPECT_EQ(suite->attribute("tests"), std::to_string(suite->all("testcase").size()));
    EXPECT_EQ(suite->attribute("failures"), std::to_string(suite->all("failure").size()));
    EXPECT_EQ(suite->attribute("skipped"), std::to_string(suite->all("skipped").size()));
    EXPECT_EQ(suite->attribute("errors"), std::to_string(suite->all("error").size()));
    failures += suite->all("failure").size(), skipped += suite->all("skipped").size();
  }
  EXPECT_EQ(root.attribute("failures"), std::to_string(failures));
  EXPECT_EQ(root.attribute("skipped"), std::to_string(skipped));
  EXPECT_GT(failures, 5u);
}

TEST(Junit, HostileAndEmptyOnesAreXml) {
  Element root = read(hostile_run());
  EXPECT_EQ(root.all("testsuite").size(), 3u);
  EXPECT_EQ(root.all("script").size(), 0u);
  EXPECT_THAT(root.attribute("name"), StartsWith("\"'><script>alert(1)</script>"));
  EXPECT_THAT(root.attribute("name"), HasSubstr("\\x1b[31m\\xff\\xc3\\ufffe \t\\x0a\\u202e"));
  EXPECT_EQ(root.one("testcase").attribute("time"), "0.000");
  EXPECT_THAT(cases(root)[0], Not(HasSubstr("nan")));
  for (const Element* failure : root.all("failure")) EXPECT_LE(failure->attribute("message").size(), 1100u);
  EXPECT_EQ(counts(read(MadeRun())), "0 0 0 0 0.000");
}

}  // namespace
}  // namespace stagemake
