// Findings of the fuzz tests (tests/fuzz): text that took endless time, memory or stack, that led out of the
// tree, or that could have controlled a terminal.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "environment/tox_variables.h"
#include "environment/workflow_names.h"
#include "tree/ignore_rules.h"
#include "tree/stage_table.h"
#include "tree/stage_table_toml.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string repeated(std::string_view text, unsigned count) {
  std::string result;
  while (count-- > 0) result += text;
  return result;
}

TEST(HostileInput, ManySpansOfFoldersInAPatternTakeNoExponentialTime) {
  IgnoreRules rules(repeated("**/a/", 40) + "b\n");
  EXPECT_FALSE(rules.excluded(repeated("a/", 80) + "c"));
  EXPECT_TRUE(rules.excluded(repeated("a/", 80) + "b"));
}

TEST(HostileInput, ManySpansInsideOfAPartNeedNoDeepStack) {
  EXPECT_FALSE(IgnoreRules(repeated("a**", 100'000) + "b\n").excluded("c"));
  EXPECT_FALSE(IgnoreRules(repeated("a**", 1000) + "b\n").excluded("c"));
  EXPECT_TRUE(IgnoreRules(repeated("a**", 3) + "b\n").excluded("aaab"));
}

TEST(HostileInput, VariablesThatDoubleStandForEachPackageOnce) {
  std::string makefile = "V0 = gmp\n";
  for (int i = 1; i < 50; ++i) makefile += fmt::format("V{} = $(V{}) $(V{})\n", i, i - 1, i - 1);
  TreeText tree("gmp standard 1\na standard 1: $(V49)\n");
  tree.file("build/make/Makefile.in", makefile);
  EXPECT_THAT(ReadTree(tree).normal("a"), ElementsAre("gmp"));
}

TEST(HostileInput, DeepNestingIsAFault) {
  std::string nested = repeated("$(and $(filter-out no,$(SAGE_CHECK_gmp)), ", 20'000);
  TreeText functions("gmp standard 1\na standard 1: " + nested + "gmp" + std::string(20'000, ')') + "\n");
  EXPECT_THAT(faults_of(functions.path()),
              ElementsAre(HasSubstr("a/dependencies:1: variables or functions are nested")));

  std::string makefile = "V0 = gmp\n";
  for (int i = 1; i < 20'000; ++i) makefile += fmt::format("V{} = $(V{})\n", i, i - 1);
  TreeText variables("gmp standard 1\na standard 1: $(V19999)\n");
  variables.file("build/make/Makefile.in", makefile);
  EXPECT_THAT(faults_of(variables.path()), ElementsAre(HasSubstr("are nested too deeply")));
}

TEST(HostileInput, ALineForMoreThanAnyTreeHasIsAFault) {
  TreeText tree("gmp standard 1\na standard 1: " + repeated("gmp ", 200'000) + "\n");
  EXPECT_THAT(faults_of(tree.path()), ElementsAre(HasSubstr("requests more than 100000 packages")));
}

TEST(HostileInput, NoFileOfAPackageLiesOutside) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "secret", "secret\n");
  TreeText tree("a standard 1\n");
  tree.link("build/pkgs/a/out", outside.path().string()).link("build/pkgs/a/up", "../../..");
  PackageIndex packages = PackageIndex::read(tree.path());
  for (const char* absent : {"out", "out/secret", "up/../secret"})
    EXPECT_FALSE(packages.has_file(0, absent)) << absent;
  EXPECT_TRUE(packages.has_file(0, "up/build/pkgs/a/type"));
}

TEST(HostileInput, AMakefileOutsideIsNotRead) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "Makefile.in", "PYTHON = secret\n");
  TreeText tree("a standard 1: $(PYTHON)\npython3 standard 1\n");
  tree.link("build/make/Makefile.in", (outside.path() / "Makefile.in").string());
  EXPECT_THAT(faults_of(tree.path()),
              ElementsAre("build/make/Makefile.in: leads out of the tree and is not read"));
}

TEST(HostileInput, ATableOfStagesOutsideIsNotRead) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "table", "[[stage]]\nname = 'secret'\n");
  TreeText tree("a standard 1\n");
  tree.link("ci-docker.toml", (outside.path() / "table").string());
  try {
    stage_table_of(tree.path(), TreeFeatures::of_sage98(), std::nullopt);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "ci-docker.toml: leads out of the tree and is not read");
  }
}

TEST(HostileInput, NamesOfWorkflowsOutsideAreNotTold) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "docker.yml", "tox_system_factors: [secret-1]\n");
  TreeText tree("a standard 1\n");
  tree.link(".github/workflows", outside.path().string());
  Faults faults;
  EXPECT_THAT(workflow_names(tree.path(), faults), IsEmpty());
  EXPECT_THAT(faults.list(), IsEmpty()) << "as in a tree without workflows";
}

TEST(HostileInput, FaultsOfATableOfStagesDriveNoTerminal) {
  TreeText tree("a standard 1\n");
  tree.file("ci-docker.toml",
            "\"a\\u001b[2J\" = 1\n[[stage]]\nname = \"\\u001b\"\n" + std::string(5000, 'k') + " = 1\n");
  try {
    read_stage_table(tree.path() / "ci-docker.toml", TreeFeatures::of_sage98());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), Not(HasSubstr("\x1b")));
    for (const Fault& fault : error.faults()) EXPECT_LT(fault.what.size(), 1000u);
  }
}

TEST(HostileInput, AWorkflowThatHoldsItselfEnds) {
  TreeText tree("a standard 1\n");
  tree.file(".github/workflows/docker.yml", "a: &a [*a, *a]\nb: &b {c: *b}\ntox_system_factors: [x-1]\n");
  Faults faults;
  EXPECT_THAT(workflow_names(tree.path(), faults),
              ElementsAre(ListedName{"x-1", ".github/workflows/docker.yml", 3}));
}

TEST(HostileInput, BracesThatNeverCloseTakeNoQuadraticTime) {
  Faults faults;
  std::string value = repeated("{env:B:", 100'000);
  FactorTable table = FactorTable::parse("[testenv]\nsetenv =\n  A=" + value + "\n", "tox.ini", faults);
  EXPECT_THAT(faults.list(), IsEmpty());
  ToxCall call{.environment = "docker-x"};
  call.caller = [](std::string_view) { return std::nullopt; };
  EXPECT_THAT(tox_variables(table, call).at("A"), SizeIs(value.size()));
}

}  // namespace
}  // namespace stagemake
