#include "environment/package_list.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PackageList : public testing::Test {
 protected:
  std::vector<std::string> list(const PackageListQuery& query, std::optional<TreeFeatures> features = {}) {
    return list_packages(PackageIndex::read(tree_.path(), features), query, true);
  }
  std::string refusal(const std::string& selector, const TreeFeatures& features = TreeFeatures::of_sage98()) {
    try {
      list({.selectors = {selector}}, features);
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
  EXPECT_THAT(list(query, TreeFeatures::of_passagemath2026()), ElementsAre("zlib"));
}

TEST_F(PackageList, AFolderWithoutTypeMayBeNamed) {
  EXPECT_THAT(list({.selectors = {"_python3.11"}}), ElementsAre("_python3.11"));
}

TEST_F(PackageList, PackageUrlsIn2026) {
  EXPECT_THAT(list({.selectors = {"pkg:generic/zlib", "generic/opt"}}, TreeFeatures::of_passagemath2026()),
              ElementsAre("opt", "zlib"));
  EXPECT_THAT(refusal("pkg:pypi/zlib", TreeFeatures::of_passagemath2026()),
              HasSubstr("no package has the URL"));
  EXPECT_THAT(refusal("pkg:generic/zlib"), HasSubstr("is not a class"));
}

TEST_F(PackageList, UnknownSelectorsAreRefusedWithASuggestion) {
  EXPECT_THAT(refusal(":standart:"), testing::AllOf(HasSubstr("`:standart:` is not a class of packages"),
                                                    HasSubstr("did you mean :standard:?")));
  EXPECT_THAT(refusal("numpi"), HasSubstr("did you mean numpy?"));
  EXPECT_THAT(refusal(":base:"), HasSubstr("is not a class"));
  EXPECT_THAT(refusal("zlib"), IsEmpty());
  EXPECT_THAT(refusal(std::string(9000, 'x')), HasSubstr(std::string(60, 'x') + "…`"))
      << "what is long is cut";
}

// --- The language of `sage-package list`

TEST(PackageListQueryText, OptionsHaveTheirValuesBehindThem) {
  PackageListQuery query =
      package_list_query({":standard:", "--has-file=a|b", "--has-file", "c", "zlib", "--no-file", "d",
                          "--tree", "SAGE_VENV", "--tree=X", "--include-dependencies"});
  EXPECT_THAT(query.selectors, ElementsAre(":standard:", "zlib"));
  EXPECT_THAT(query.has_file, ElementsAre("a|b", "c"));
  EXPECT_THAT(query.no_file, ElementsAre("d"));
  EXPECT_THAT(query.trees, ElementsAre("SAGE_VENV", "X"));
  EXPECT_TRUE(query.include_dependencies);
  EXPECT_FALSE(query.exclude_dependencies);
  EXPECT_TRUE(package_list_query({"--exclude-dependencies"}).exclude_dependencies);
  EXPECT_THAT(package_list_query({}).selectors, IsEmpty());
  EXPECT_THAT(package_list_query({"--has-file="}).has_file, ElementsAre(""));
}

TEST(PackageListQueryText, ExcludeTakesAllNamesBehindIt) {
  PackageListQuery query = package_list_query({"--exclude", "a", "b", "--has-file", "c", "d"});
  EXPECT_THAT(query.exclude, ElementsAre("a", "b"));
  EXPECT_THAT(query.selectors, ElementsAre("d"));
  query = package_list_query({"--exclude=a", "b"});
  EXPECT_THAT(query.exclude, ElementsAre("a"));
  EXPECT_THAT(query.selectors, ElementsAre("b"));
}

TEST(PackageListQueryText, UnknownOptionsAreRefused) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--has-file"}, {"--no-file"}, {"--exclude"}, {"--tree"}, {"--has-files=x"}, {"-x"}, {"--"}})
    EXPECT_THROW(package_list_query(arguments), Error) << arguments[0];
}

class Dependencies2026 : public PackageList {
 protected:
  std::vector<std::string> list(const PackageListQuery& query) {
    return PackageList::list(query, TreeFeatures::of_passagemath2026());
  }
  Dependencies2026() {
    tree_.file("build/pkgs/a/type", "optional\n")
        .file("build/pkgs/a/package-version.txt", "1\n")
        .file("build/pkgs/a/dependencies", "b nothing $(PYTHON) | order_only\n")
        .file("build/pkgs/b/type", "standard\n")
        .file("build/pkgs/b/package-version.txt", "1\n")
        .file("build/pkgs/b/dependencies", "zlib\n")
        .file("build/pkgs/b/trees.txt", "SAGE_VENV\n")
        .file("build/pkgs/python3/type", "standard\n")
        .file("build/pkgs/python3/package-version.txt", "3\n")
        .file("build/pkgs/order_only/type", "standard\n")
        .file("build/pkgs/order_only/package-version.txt", "3\n");
  }
};

TEST_F(Dependencies2026, AreIncludedAllTheWayDown) {
  EXPECT_THAT(list({.selectors = {"a"}, .include_dependencies = true}),
              ElementsAre("a", "b", "python3", "zlib"));
  EXPECT_THAT(list({.selectors = {"a"}, .exclude = {"b"}, .include_dependencies = true}),
              ElementsAre("a", "python3", "zlib"))
      << "what it needs in turn stays";
  EXPECT_THAT(list({.selectors = {"zlib"}, .include_dependencies = true}), ElementsAre("zlib"));
  EXPECT_THAT(list({.include_dependencies = true}), IsEmpty()) << "no selector is none here";
}

TEST_F(Dependencies2026, AreExcludedWhereSelectedThemselves) {
  EXPECT_THAT(list({.selectors = {"a", "b", "numpy"}, .exclude_dependencies = true}),
              ElementsAre("a", "numpy"));
}

TEST_F(Dependencies2026, TreesAreAFilterForClasses) {
  EXPECT_THAT(list({.selectors = {":all:"}, .trees = {"SAGE_VENV"}}), testing::Contains("b"));
  EXPECT_THAT(list({.selectors = {":all:"}, .trees = {"SAGE_VENV"}}),
              testing::Not(testing::Contains("zlib")));
  EXPECT_THAT(list({.selectors = {":all:"}, .trees = {"SAGE_VENV", "SAGE_LOCAL"}}),
              testing::IsSupersetOf({"b", "zlib"}));
  EXPECT_THAT(list({.selectors = {"zlib"}, .trees = {"SAGE_VENV"}}), ElementsAre("zlib")) << "not for names";
}

}  // namespace
}  // namespace stagemake
