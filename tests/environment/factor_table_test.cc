#include "environment/factor_table.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::vector<std::string> texts(const Faults& faults) {
  std::vector<std::string> result;
  for (const Fault& fault : faults.list()) result.push_back(fault.text());
  return result;
}

FactorTable table_of(std::string_view text) {
  Faults faults;
  FactorTable table = FactorTable::parse(text, "tox.ini", faults);
  EXPECT_THAT(texts(faults), IsEmpty());
  return table;
}

FactorTable table_of_settings(std::string_view lines) {
  return table_of(fmt::format("[testenv]\nsetenv =\n{}", lines));
}

// The errors of a call.
template <class Call>
std::string words_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::BadInput);
    return error.what();
  }
  return "no error";
}

// Whether a line with this condition applies to a name.
bool holds(std::string_view condition, std::string_view name) {
  return table_of_settings(fmt::format("  {}: K=V\n", condition)).settings(name).contains("K");
}

// The names of the list, as "LINE NAME".
std::vector<std::string> told(const std::vector<ListedName>& names) {
  std::vector<std::string> result;
  for (const ListedName& listed : names) {
    EXPECT_EQ(listed.file, "tox.ini");
    result.push_back(fmt::format("{} {}", listed.line, listed.name));
  }
  return result;
}

TEST(FactorTable, ConditionsHold) {
  struct Case {
    const char* condition;
    const char* name;
    bool holds;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"a", "a", true},
           {"a", "b-a-c", true},
           {"a", "ab", false},
           {"a-b", "a-b", true},
           {"a-b", "b-x-a", true},
           {"a-b", "a", false},
           {"a,b", "b", true},
           {"a, b", "b", true},
           {"a,b", "c", false},
           {"!a", "b", true},
           {"!a", "a", false},
           {"a-!b", "a", true},
           {"a-!b", "a-b", false},
           {"!a-!b", "b", false},
           {"!a,b", "a-b", true},
           {"x-{a,b}", "x-b", true},
           {"x-{a,b}", "x-c", false},
           {"x-{a,b}-{c,d}", "x-b-c", true},
           {"x-{a,b}-{c,d}", "x-b", false},
           {"{a,b}", "b", true},
           {"x-{a,b-{c,d}}", "x-b-d", true},
           {"x-{a,b-{c,d}}", "x-b", false},
           {"x-{a,b},y", "y", true},
           {"py{3,2}.{7,8}", "py3.8", true},
           {"x{,-y}", "x", true},
           {"!{a,b}", "c", true},
           {"2_24", "manylinux-2_24", true},
           {"15.3", "opensuse-15.3-standard", true},
           {"python3.8", "python3-8", false},
           {"a-b-c , d", "d", true},
       })
    EXPECT_EQ(holds(one.condition, one.name), one.holds) << one.condition << " for " << one.name;
}

TEST(FactorTable, OfTheSettingsThatHoldTheLastWins) {
  FactorTable table = table_of_settings(
      "  K=all\n"
      "  a: K=of a\n"
      "  b: K=of b\n"
      "  a-b: L=of both\n"
      "  K2 = with = signs\n"
      "  c: K=\n");
  EXPECT_EQ(table.settings("x").at("K"), "all");
  EXPECT_EQ(table.settings("b-a").at("K"), "of b") << "the order of the name means nothing";
  EXPECT_EQ(table.settings("b-a").at("L"), "of both");
  EXPECT_EQ(table.settings("a-b-c").at("K"), "") << "set to nothing";
  EXPECT_EQ(table.settings("").at("K"), "all");
  EXPECT_EQ(table.settings("x").at("K2"), "with = signs");
  EXPECT_THAT(table.settings("x"), Not(Contains(Pair("L", testing::_))));
}

TEST(FactorTable, TheFirstColonBeforeABlankOrTheEndEndsACondition) {
  auto settings = table_of_settings(
                      "  URL=http://host:80/x\n"
                      "  SELECTORS=:standard: :optional:\n"
                      "  PATH2=x: y\n"
                      "  a:\tTAB=tab\n"
                      "  a: COLONS=b: c\n"
                      "  a:K2=v\n")
                      .settings("a");
  EXPECT_EQ(settings["URL"], "http://host:80/x");
  EXPECT_EQ(settings["SELECTORS"], ":standard: :optional:") << "what stands before the `:` is no condition";
  EXPECT_EQ(settings["PATH2"], "x: y");
  EXPECT_EQ(settings["TAB"], "tab");
  EXPECT_EQ(settings["COLONS"], "b: c");
  EXPECT_EQ(settings["a:K2"], "v") << "no blank behind it";
}

TEST(FactorTable, AConditionMayStandAlone) {
  FactorTable table = table_of_settings("  only:\n  K=V\n");
  EXPECT_THAT(table.settings("only"), ElementsAre(Pair("K", "V")));
  EXPECT_THAT(table.factors(), ElementsAre("only"));
}

TEST(FactorTable, CommentsAndContinuedLines) {
  auto settings = table_of_settings(
                      "  K=a # comment\n"
                      "# L=no\n"
                      "  M=a \\# b\n"
                      "  N=a \\\n"
                      "    b: c\n")
                      .settings("x");
  EXPECT_THAT(settings, UnorderedElementsAre(Pair("K", "a"), Pair("M", "a # b"), Pair("N", "a b: c")));
}

TEST(FactorTable, Tox4HasNewNamesBesideTheOldOnes) {
  FactorTable table = table_of("[tox]\nenv_list = docker-{a,b}\n[testenv]\nset_env =\n  docker: K=V\n");
  EXPECT_THAT(told(table.envlist()), ElementsAre("2 docker-a", "2 docker-b"));
  EXPECT_EQ(table.settings("docker-a").at("K"), "V");
}

TEST(FactorTable, AnEnvironmentsOwnSectionStandsForTheCommonOne) {
  FactorTable table = table_of(
      "[other]\nsetenv =\n  K=no\n"
      "[testenv]\nsetenv =\n  K=all\n"
      "[testenv:docker-{x,y}-{1,2}]\nsetenv =\n  L=own\n  y: M=of y\n"
      "[testenv:docker-z]\ndeps = nothing\n"
      "[testenv:docker-b]\nbase = other\n");
  EXPECT_THAT(table.settings("docker-w"), ElementsAre(Pair("K", "all")));
  EXPECT_THAT(table.settings("docker-x-2"), ElementsAre(Pair("L", "own")));
  EXPECT_THAT(table.settings("docker-y-1"), ElementsAre(Pair("L", "own"), Pair("M", "of y")));
  EXPECT_THAT(table.settings("docker-1-y"), ElementsAre(Pair("K", "all"))) << "it is a name, no condition";
  EXPECT_THAT(table.settings("docker-z"), ElementsAre(Pair("K", "all")));
  EXPECT_THAT(table.settings("docker-b"), ElementsAre(Pair("K", "no")));
  EXPECT_THAT(table.meaning(), UnorderedElementsAre("docker", "x", "y", "1", "2", "z", "b"));
}

TEST(FactorTable, ALineMayStandForLinesOfAnotherSection) {
  FactorTable table = table_of(
      "[base]\nsetenv =\n  K=base\n  a: L=of a\n  b: M=of b\n"
      "[testenv]\nsetenv =\n  K=own\n  docker: {[base]setenv}\n  N=own\n");
  EXPECT_THAT(table.settings("docker-a"),
              ElementsAre(Pair("K", "base"), Pair("L", "of a"), Pair("N", "own")));
  EXPECT_THAT(table.settings("a"), ElementsAre(Pair("K", "own"), Pair("N", "own")));
  EXPECT_EQ(table.value("base", "setenv", "b"), "K=base\nM=of b");
  EXPECT_EQ(table.value("base", "deps", "b"), std::nullopt);
}

TEST(FactorTable, ReferencesThatLeadNowhereOrInACircleConcernTheirEnvironments) {
  FactorTable table = table_of(
      "[a]\ns =\n  {[b]s}\n[b]\ns =\n  {[a]s}\n"
      "[testenv]\nsetenv =\n  K=V\n  x: {[none]setenv}\n  y: {[a]s}\n  z: file|none.env\n");
  EXPECT_THAT(table.settings("docker"), ElementsAre(Pair("K", "V")));
  EXPECT_THAT(words_of([&] { table.settings("x"); }),
              "tox.ini:10: `{[none]setenv}`: there is no such section and key");
  EXPECT_THAT(words_of([&] { table.settings("y"); }), "tox.ini:6: `{[a]s}`: refers to itself");
  EXPECT_THAT(words_of([&] { table.settings("z"); }), "tox.ini:12: the file none.env does not exist");
}

TEST(FactorTable, ALineMayStandForAFileOfTheTree) {
  TreeText tree("a standard 1\n");
  tree.file("tox.ini",
            "[testenv]\nsetenv =\n  docker: K=before\n  L=before\n  file|{toxinidir}/some/x.env\n  L=after\n"
            "  out: file|../x.env\n");
  tree.file("some/x.env", "# comment\nK = of file # no comment\n\nL=of file\r\n");
  std::optional<FactorTable> table = FactorTable::read(tree.path());
  ASSERT_TRUE(table);
  EXPECT_THAT(table->settings("docker"), ElementsAre(Pair("K", "of file # no comment"), Pair("L", "after")));
  EXPECT_THAT(words_of([&] { table->settings("docker-out"); }), HasSubstr("tox.ini:7: ../x.env"));
}

TEST(FactorTable, AFaultConcernsTheEnvironmentsOfItsLine) {
  Faults faults;
  FactorTable table = FactorTable::parse(
      "[testenv]\nsetenv =\n  K=V\n  a: no setting\n  ubuntu-{focal: K=V\n"
      "[testenv:lint]\nsetenv = rubbish\nsetenv = again\n[other]\nword\n",
      "tox.ini", faults);
  EXPECT_THAT(texts(faults),
              ElementsAre("tox.ini:8: `setenv` is in [testenv:lint] a second time; the first time is line 7",
                          HasSubstr("tox.ini:10: is neither"), HasSubstr("tox.ini:4: `no setting` is no"),
                          HasSubstr("tox.ini:5: `ubuntu-{focal: K=V` is no")));
  EXPECT_EQ(table.warnings(), faults.list());
  EXPECT_THAT(table.settings("docker-debian"), ElementsAre(Pair("K", "V")));
  EXPECT_THAT(words_of([&] { table.settings("docker-a"); }), HasSubstr("tox.ini:4: "));
  EXPECT_THAT(words_of([&] { table.settings("docker-ubuntu"); }), HasSubstr("tox.ini:5: "));
  EXPECT_THAT(
      words_of([&] { table.settings("lint"); }),
      AllOf(HasSubstr("tox.ini:8: `setenv` is in"), HasSubstr("tox.ini:8: `again` is not a setting")));
}

TEST(FactorTable, ASecondListOfSettingsConcernsAll) {
  Faults faults;
  FactorTable table = FactorTable::parse("[testenv]\nsetenv =\n  K=V\nsetenv =\n  K=W\ndeps = a\ndeps = b\n",
                                         "tox.ini", faults);
  EXPECT_THAT(texts(faults), SizeIs(2));
  EXPECT_THAT(words_of([&] { table.settings("x"); }),
              "tox.ini:4: `setenv` is in [testenv] a second time; the first time is line 2");
}

TEST(FactorTable, FactorsOfListsAreKnownAndMeanNothing) {
  FactorTable table = table_of(
      "[tox]\nenvlist = docker-listed-minimal\n"
      "[testenv]\nsetenv =\n  docker-!not: K=V\n"
      "[testenv:own]\nsetenv =\n"
      "  DEFAULT_SYSTEM_FACTORS = platform-1\n");
  EXPECT_THAT(table.factors(),
              UnorderedElementsAre("listed", "minimal", "docker", "not", "own", "platform", "1"));
  EXPECT_THAT(table.meaning(), UnorderedElementsAre("docker", "not", "own"));
}

TEST(FactorTable, EnvlistHasLines) {
  FactorTable table = table_of(
      "[tox]\nenvlist =\n    check,\n    docker-{a,b}-{c,d},  # four\n    x y\n# no\n    \\\n    z\n");
  EXPECT_THAT(told(table.envlist()), ElementsAre("3 check", "4 docker-a-c", "4 docker-a-d", "4 docker-b-c",
                                                 "4 docker-b-d", "5 x", "5 y", "7 z"));
}

// What tox 3 makes of these; tox 4 refuses most of them.
TEST(FactorTable, BracesOfAnEnvlistGoOverLinesAndDoNotNest) {
  auto names = [](std::string_view list) {
    std::vector<std::string> all;
    FactorTable table = table_of(fmt::format("[tox]\nenvlist =\n{}", list));
    for (const ListedName& listed : table.envlist()) all.push_back(listed.name);
    return all;
  };
  EXPECT_THAT(names("  docker-{a,\n      # comment\n\n      b,  # c\n      d}-{\n  e,f}\n"),
              ElementsAre("docker-a-e", "docker-a-f", "docker-b-e", "docker-b-f", "docker-d-e", "docker-d-f"))
      << "not docker--e: it is no environment";
  EXPECT_THAT(names("  {docker-{a,b},\n   c}-{d,e}\n  f\n"), ElementsAre("b", "f"));
  FactorTable table = table_of("[tox]\nenvlist =\n  {docker-{a,b},\n   c}-{d,e}\n  f\n");
  EXPECT_THAT(table.factors(), UnorderedElementsAre("docker", "b", "d", "e", "f"));
  EXPECT_THAT(names("  py{8-10}-x, a{}b, {, }, c\n"), ElementsAre("py8-x", "py9-x", "py10-x", "c"));
}

TEST(FactorTable, AnEnvlistThatStandsForTooMuchIsCutAndItsFactorsAreKnown) {
  std::string ten = "{0,1,2,3,4,5,6,7,8,9}";
  std::string many = "docker-" + ten + "-a" + ten + "-b" + ten + "-c" + ten + "-d" + ten + "-e" + ten;
  FactorTable table = table_of("[tox]\nenvlist = " + many + "\n");
  EXPECT_THAT(table.envlist(), SizeIs(kMostNames));
  EXPECT_THAT(table.unknown_factors("docker-9-e9-d5-f1"), ElementsAre("f1"));
}

TEST(FactorTable, PlatformsHaveTheLineInWhichTheyStand) {
  FactorTable table = table_of(
      "[testenv:check_configure]\nsetenv =\n"
      "    OTHER = x\n"
      "    DEFAULT_SYSTEM_FACTORS = \\\n"
      "        ubuntu-{focal,jammy} \\\n"
      "        fedora-45{,-python3.14} \\\n"
      "        debian\n"
      "    NEXT = not-one\n");
  EXPECT_THAT(told(table.platforms()), ElementsAre("5 ubuntu-focal", "5 ubuntu-jammy", "6 fedora-45",
                                                   "6 fedora-45-python3.14", "7 debian"));
  EXPECT_THAT(told(table_of("[x]\nsetenv = DEFAULT_SYSTEM_FACTORS=a b\n").platforms()),
              ElementsAre("2 a", "2 b"));
  EXPECT_THAT(table_of("[x]\nsetenv = DEFAULT_SYSTEM_FACTORS_2 = a b\n").platforms(), IsEmpty());
}

TEST(FactorTable, UnknownFactorsAreRefusedWithTheNearest) {
  FactorTable table = table_of_settings("  ubuntu-{focal,jammy}: K=V\n  docker,minimal,standard: K=V\n");
  EXPECT_NO_THROW(table.check_factors("docker-ubuntu-jammy-minimal"));
  EXPECT_THAT(table.unknown_factors("ubuntu-jamy-minimum"), ElementsAre("jamy", "minimum"));
  auto words = [&](std::string_view name) -> std::string {
    try {
      table.check_factors(name);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(words("ubuntu-jamy-minimal"),
            "environment ubuntu-jamy-minimal: tox.ini has no factor `jamy` (did you mean jammy?); `stagemake "
            "envs` lists the environments");
  EXPECT_THAT(words("ubunto-zzzzzzzz"),
              AllOf(HasSubstr("no factors `ubunto` (did you mean ubuntu?), "), HasSubstr(", `zzzzzzzz`; ")));
  EXPECT_THAT(words("ubuntu--minimal"), HasSubstr("no factor ``"));
  EXPECT_THAT(words("\x1b[2J"), Not(HasSubstr("\x1b")));
  EXPECT_THAT(words(std::string(256, 'x')), AllOf(HasSubstr("longer than 255"), SizeIs(testing::Lt(200u))));
}

TEST(FactorTable, LinesThatSetNothingAreFaults) {
  Faults faults;
  FactorTable::parse("[testenv]\nsetenv =\n  K=V\n  a: no setting\n  =V\n  a:b: K=V\n", "tox.ini", faults);
  EXPECT_THAT(texts(faults),
              ElementsAre("tox.ini:4: `no setting` is not a setting; a setting looks like `KEY=VALUE` or "
                          "`factor-factor: KEY=VALUE`",
                          HasSubstr("tox.ini:5: "), HasSubstr("tox.ini:6: `a:b: K=V` is no")));
}

TEST(FactorTable, ATreesTableIsItsToxIniIfThatKnowsDocker) {
  TreeText tree("a standard 1\n");
  EXPECT_FALSE(FactorTable::read(tree.path()));
  tree.file("tox.ini", "[tox]\nenvlist = docker-x\n[testenv]\nsetenv =\n  py39: K=V\n");
  EXPECT_FALSE(FactorTable::read(tree.path())) << "it only tests Python code";
  tree.file("tox.ini", "[testenv]\nsetenv =\n  docker: K=V\n");
  ASSERT_TRUE(FactorTable::read(tree.path()));
  EXPECT_EQ(FactorTable::read(tree.path())->file(), "tox.ini");
  EXPECT_THAT(FactorTable::read(tree.path())->warnings(), IsEmpty());
  tree.file("tox.ini", "[testenv]\nsetenv =\n  docker: K=V\n  docker-a: K=\xff\n");
  std::optional<FactorTable> table = FactorTable::read(tree.path());
  ASSERT_TRUE(table);
  EXPECT_THAT(table->warnings(), ElementsAre(Fault{"tox.ini:4", "is not UTF-8"}));
  EXPECT_THAT(words_of([&] { table->settings("docker"); }), "tox.ini:4: is not UTF-8");
}

TEST(FactorTable, AFileThatCannotBeReadConcernsAllEnvironments) {
  TreeText tree("a standard 1\n");
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "tox.ini", "[testenv]\nsetenv =\n  docker: K=V\n");
  tree.link("tox.ini", (outside.path() / "tox.ini").string());
  std::optional<FactorTable> table = FactorTable::read(tree.path());
  ASSERT_TRUE(table);
  EXPECT_THAT(table->warnings(), SizeIs(1));
  EXPECT_THAT(words_of([&] { table->settings("docker-x"); }), table->warnings().front().text());
  EXPECT_THAT(words_of([&] { table->check_factors("x"); }), table->warnings().front().text());
}

std::vector<std::string> expanded(std::string_view text, Faults& faults) {
  return expand_braces(text, "f:1", faults);
}

TEST(ExpandBraces, StandsForAllCombinations) {
  const std::vector<std::pair<const char*, std::vector<std::string>>> all = {
      {"", {}},
      {"a", {"a"}},
      {"a, b c,,", {"a", "b", "c"}},
      {"a{b,c}-d", {"ab-d", "ac-d"}},
      {"{a,b}{1,2}", {"a1", "a2", "b1", "b2"}},
      {"x{,-y}", {"x", "x-y"}},
      {"{,x}", {"x"}},
      {"a{b{1,2},c}d", {"ab1d", "ab2d", "acd"}},
      {"{ a , b } c", {"a", "b", "c"}},
      {"a{b}", {"ab"}},
      {"a{}", {"a"}},
  };
  for (const auto& [text, names] : all) {
    Faults faults;
    EXPECT_EQ(expanded(text, faults), names) << text;
    EXPECT_THAT(faults.list(), IsEmpty()) << text;
  }
}

TEST(ExpandBraces, BracesThatDoNotMatchAreAFault) {
  for (const char* text : {"{", "a{b", "a}", "{a,b}}", "{{a}", "}{"}) {
    Faults faults;
    EXPECT_THAT(expanded(text, faults), IsEmpty()) << text;
    EXPECT_THAT(texts(faults), ElementsAre(HasSubstr("f:1: "))) << text;
  }
}

TEST(ExpandBraces, ThereIsALimit) {
  std::string ten = "{0,1,2,3,4,5,6,7,8,9}";
  Faults faults;
  EXPECT_THAT(expanded(ten + ten + ten + ten, faults), SizeIs(10'000u));
  EXPECT_THAT(expanded("{a,b}" + ten + ten + ten + ten, faults), SizeIs(kMostNames));
  EXPECT_THAT(faults.list(), IsEmpty());
  EXPECT_THAT(expanded("{a,b,c}" + ten + ten + ten + ten, faults), IsEmpty());
  EXPECT_THAT(expanded("{a,b}" + ten + ten + ten + ten + " one-more", faults), IsEmpty());
  EXPECT_THAT(expanded(ten + ten + ten + ten + ten + ten + ten + ten + ten, faults), IsEmpty());
  EXPECT_THAT(expanded(std::string(100, '{') + "a" + std::string(100, '}'), faults), IsEmpty()) << "too deep";
  EXPECT_THAT(texts(faults), SizeIs(4));
}

}  // namespace
}  // namespace stagemake
