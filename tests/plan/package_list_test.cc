#include "plan/package_list.h"

#include <gmock/gmock.h>

#include "tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PackageList : public testing::Test {
 protected:
  std::vector<std::string> list(const PackageListQuery& query, std::optional<Dialect> dialect = {}) {
    return list_packages(PackageIndex::read(tree_.path(), dialect), query);
  }
  std::string refusal(const std::string& selector, Dialect dialect = Dialect::Sage98) {
    try {
      list({.selectors = {selector}}, dialect);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      return error.what();
    }
  }

  TreeText tree_{
      "zlib standard 1\nnumpy standard 2\nopt optional 1\nexp experimental 1\nconfigure base 1\n"
      "zlib/distros/debian.txt = zlib1g\nzlib/spkg-configure.m4 = x\nopt/huge = \n"
      "_python3.11/distros/debian.txt = python3\n"};
};

TEST_F(PackageList, Classes) {
  EXPECT_THAT(list({}), ElementsAre("configure", "exp", "numpy", "opt", "zlib"));
  EXPECT_THAT(list({.selectors = {":all:"}}), ElementsAre("configure", "exp", "numpy", "opt", "zlib"));
  EXPECT_THAT(list({.selectors = {":standard:", ":optional:"}}), ElementsAre("numpy", "opt", "zlib"));
  EXPECT_THAT(list({.selectors = {":experimental:", "zlib", "zlib"}}), ElementsAre("exp", "zlib"));
}

TEST_F(PackageList, FiltersHoldForClassesButNotForNames) {
  EXPECT_THAT(list({.selectors = {":all:"}, .has_file = {"huge|spkg-configure.m4"}}),
              ElementsAre("opt", "zlib"));
  EXPECT_THAT(list({.selectors = {":all:"}, .has_file = {"huge|spkg-configure.m4", "distros/debian.txt"}}),
              ElementsAre("zlib"));
  EXPECT_THAT(list({.selectors = {":all:"}, .no_file = {"huge|distros/debian.txt"}}),
              ElementsAre("configure", "exp", "numpy"));
  EXPECT_THAT(list({.selectors = {"numpy"}, .has_file = {"huge"}}), ElementsAre("numpy"));
}

TEST_F(PackageList, ExclusionHoldsForNamesToo2026) {
  PackageListQuery query{.selectors = {":standard:", "opt"}, .exclude = {"numpy", "opt", "nothing"}};
  EXPECT_THAT(list(query), ElementsAre("opt", "zlib"));
  EXPECT_THAT(list(query, Dialect::Passagemath2026), ElementsAre("zlib"));
}

TEST_F(PackageList, AFolderWithoutTypeMayBeNamed) {
  EXPECT_THAT(list({.selectors = {"_python3.11"}}), ElementsAre("_python3.11"));
}

TEST_F(PackageList, PackageUrlsIn2026) {
  EXPECT_THAT(list({.selectors = {"pkg:generic/zlib", "generic/opt"}}, Dialect::Passagemath2026),
              ElementsAre("opt", "zlib"));
  EXPECT_THAT(refusal("pkg:pypi/zlib", Dialect::Passagemath2026), HasSubstr("no package has the URL"));
  EXPECT_THAT(refusal("pkg:generic/zlib"), HasSubstr("is no class"));
}

TEST_F(PackageList, UnknownSelectorsAreRefusedWithASuggestion) {
  EXPECT_THAT(refusal(":standart:"), testing::AllOf(HasSubstr("`:standart:` is no class of packages"),
                                                    HasSubstr("did you mean :standard:?")));
  EXPECT_THAT(refusal("numpi"), HasSubstr("did you mean numpy?"));
  EXPECT_THAT(refusal(":base:"), HasSubstr("is no class"));
  EXPECT_THAT(refusal("zlib"), IsEmpty());
}

}  // namespace
}  // namespace stagemake
