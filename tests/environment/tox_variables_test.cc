#include "environment/tox_variables.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class ToxVariables : public testing::Test {
 protected:
  std::map<std::string, std::string> resolve(std::string_view settings) {
    Faults faults;
    FactorTable table =
        FactorTable::parse(fmt::format("[testenv]\nsetenv =\n{}", settings), "tox.ini", faults);
    EXPECT_THAT(faults.list(), IsEmpty());
    call_.caller = [this](std::string_view name) -> std::optional<std::string> {
      asked_.emplace_back(name);
      auto found = caller_.find(std::string(name));
      return found == caller_.end() ? std::nullopt : std::optional(found->second);
    };
    return tox_variables(table, call_);
  }
  // The value of one variable.
  std::string value(const std::string& text, std::string_view more = "") {
    return resolve(fmt::format("  VALUE={}\n{}", text, more)).at("VALUE");
  }
  std::string refusal(std::string_view settings) {
    try {
      resolve(settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
    return "no error";
  }

  ToxCall call_{.environment = "docker-x-minimal", .caller = {}};
  std::map<std::string, std::string> caller_ = {{"OF_CALLER", "called"}, {"SET_EMPTY", ""}};
  std::vector<std::string> asked_;
};

TEST_F(ToxVariables, ReferencesAreReplaced) {
  const std::vector<std::pair<const char*, const char*>> all = {
      {"plain $TEXT `x` (y)", "plain $TEXT `x` (y)"},
      {"a{env:OF_CALLER}b", "acalledb"},
      {"{env:OF_CALLER:default}", "called"},
      {"{env:UNSET}", ""},
      {"{env:UNSET:}", ""},
      {"{env:UNSET:default}", "default"},
      {"{env:UNSET:a:b}", "a:b"},
      {"{env:UNSET: with  blanks}", " with  blanks"},
      {"{env:SET_EMPTY:default}", ""},
      {"{env:UNSET:{env:OF_CALLER}}", "called"},
      {"{env:UNSET:a {env:UNSET2:b {env:OF_CALLER} c} d}", "a b called c d"},
      {"{env:OTHER}", "set"},
      {"{env:OTHER:default}", "set"},
      {"{env:OTHER}{env:OTHER}", "setset"},
      {"{env:LATER}", "from set"},
      {"{env:EMPTY:default}", ""},
      {"{envname}", "docker-x-minimal"},
      {"{env:UNSET:{envname}}", "docker-x-minimal"},
      {"{posargs}", ""},
      {"{posargs:build}", "build"},
      {"{posargs:{env:OTHER} x}", "set x"},
      {"{envdir}/{toxinidir}", "{envdir}/{toxinidir}"},
      {"{nothing:of tox}", "{nothing:of tox}"},
      {"${HOME}", "${HOME}"},
      {"{", "{"},
      {"}{", "}{"},
      {"{env:OTHER", "{env:OTHER"},
      {"{{env:OTHER}", "{set"},
      {"{x{env:OTHER}}", "{xset}"},
      {"\\{env:OTHER\\}", "{env:OTHER}"},
      {"a\\b\\\\c", "a\\b\\\\c"},
      {"{}", "{}"},
  };
  for (const auto& [text, expected] : all)
    EXPECT_EQ(value(text, "  OTHER=set\n  LATER=from {env:OTHER}\n  EMPTY=\n"), expected) << text;
}

TEST_F(ToxVariables, PositionalArgumentsAndFoldersAreTheCallers) {
  call_.arguments = {"one", "two three"};
  call_.envdir = "/tox/env";
  call_.toxinidir = "/tree";
  EXPECT_EQ(value("{posargs}"), "one two three");
  EXPECT_EQ(value("{posargs:build}"), "one two three");
  EXPECT_EQ(value("{envdir}:{toxinidir}"), "/tox/env:/tree");
}

TEST_F(ToxVariables, ReferencesGoToSettingsThatHoldOnly) {
  EXPECT_EQ(value("{env:OTHER:none}", "  y: OTHER=of y\n"), "none");
  EXPECT_EQ(value("{env:OTHER:none}", "  OTHER=first\n  x: OTHER=of x\n"), "of x") << "the last that holds";
}

TEST_F(ToxVariables, ASettingThatAsksForItselfGetsTheCallers) {
  EXPECT_EQ(resolve("  OF_CALLER=more {env:OF_CALLER}\n").at("OF_CALLER"), "more called");
  EXPECT_EQ(resolve("  NEW={env:NEW:default}\n").at("NEW"), "default");
  EXPECT_EQ(resolve("  NEW={env:NEW}\n").at("NEW"), "");
  EXPECT_EQ(resolve("  A=[{env:OF_CALLER}]\n  OF_CALLER={env:OF_CALLER}!\n").at("A"), "[called!]");
  EXPECT_EQ(resolve("  NEW={env:UNSET:{env:NEW:x}}\n").at("NEW"), "x");
}

TEST_F(ToxVariables, SettingsWinOverTheCaller) {
  EXPECT_THAT(resolve("  OF_CALLER=set\n"), ElementsAre(Pair("OF_CALLER", "set")));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ToxVariables, DefaultsAreLookedAtOnlyWhereTheyAreNeeded) {
  value("{env:OF_CALLER:{env:NOBODY_ASKS}}");
  EXPECT_THAT(asked_, ElementsAre("OF_CALLER"));
  // A cycle that nothing enters is not an error.
  EXPECT_EQ(resolve("  A={env:OF_CALLER:{env:B}}\n  B={env:A}\n").at("B"), "called");
}

TEST_F(ToxVariables, ACircleIsAnErrorThatNamesTheWay) {
  EXPECT_EQ(refusal("  A={env:B}\n  B=x {env:C:y}\n  C={env:A}\n"),
            "tox.ini: environment docker-x-minimal: settings refer to each other in a circle: A → B → C → A");
  EXPECT_THAT(refusal("  A={env:UNSET:{env:B}}\n  B={env:A:x}\n"), HasSubstr("A → B → A"));
}

TEST_F(ToxVariables, KeysOfOtherSectionsAreReplaced) {
  std::string base =
      "[base]\nbar = xx {env:OF_CALLER}\nlines =\n  docker: one\n  other: two\nx = {[base]y}\ny = "
      "{[base]x}\n";
  EXPECT_EQ(value("{[base]bar}/{[base]bar}", base), "xx called/xx called");
  EXPECT_EQ(value("{[base]LINES}", base), "one");
  EXPECT_EQ(value("{[base]none} {[none]none:default {env:OF_CALLER}}", base), "{[base]none} default called");
  EXPECT_THAT(refusal("  A={[base]x}\n" + base), HasSubstr("in a circle: A → [base]x → [base]y → [base]x"));
  std::string growing = "[base]\nk0 =\n";
  for (int i = 1; i < 60; ++i) growing += fmt::format("k{} = {{[base]k{}}}{{[base]k{}}}\n", i, i - 1, i - 1);
  EXPECT_EQ(value("{[base]k59}", growing), "") << "and soon";
}

TEST_F(ToxVariables, ALineMayBecomeSettingsWhenItIsReplaced) {
  caller_["MORE"] = "K=of caller\nL = {envname}";
  auto variables = resolve("  K=table\n  {env:MORE}\n  {env:UNSET:}\n");
  EXPECT_THAT(variables, ElementsAre(Pair("K", "of caller"), Pair("L", "docker-x-minimal")));
  caller_["MORE"] = "no setting";
  EXPECT_EQ(refusal("  {env:MORE}\n"),
            "tox.ini:3: `no setting` is not a setting; a setting looks like `KEY=VALUE`");
}

TEST_F(ToxVariables, FoldersAndSeparators) {
  EXPECT_EQ(value("{toxinidir}{/}a{:}b {tox_root} {toxworkdir} {env_dir} {env_name}"),
            "{toxinidir}/a:b {tox_root} {toxworkdir} {env_dir} docker-x-minimal");
  call_.toxinidir = "/t";
  call_.envdir = "/e";
  EXPECT_EQ(value("{toxinidir} {tox_root} {toxworkdir} {work_dir} {env_dir}"), "/t /t /t/.tox /t/.tox /e");
}

TEST_F(ToxVariables, GivenValuesAreTheLastLine) {
  call_.settings = {{"OTHER", "said {env:OF_CALLER}"}, {"NEW", "new"}};
  auto variables = resolve("  VALUE={env:OTHER} {env:NEW}\n  OTHER=of the table\n  x: OTHER=last\n");
  EXPECT_EQ(variables.at("OTHER"), "said called");
  EXPECT_EQ(variables.at("VALUE"), "said called new");
  EXPECT_EQ(variables.at("NEW"), "new");
}

TEST_F(ToxVariables, ValuesThatGrowWithoutEndAreRefused) {
  std::string settings = "  V0=xxxxxxxxxx\n";
  for (int i = 1; i < 40; ++i) settings += fmt::format("  V{}={{env:V{}}}{{env:V{}}}\n", i, i - 1, i - 1);
  EXPECT_THAT(refusal(settings), AllOf(HasSubstr("grows beyond 1 MB"), SizeIs(testing::Lt(300u))));
}

TEST_F(ToxVariables, DefaultsNestedTooDeeplyStayAsTheyAre) {
  auto nested = [&](unsigned depth) {
    std::string text = "end";
    while (depth-- > 0) text = "{env:UNSET:" + text + "}";
    return value(text);
  };
  EXPECT_EQ(nested(60), "end");
  EXPECT_THAT(nested(200), HasSubstr("{env:UNSET:"));
}

}  // namespace
}  // namespace stagemake
