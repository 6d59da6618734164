// The system's names for packages, and what configure decided about them.
#include "environment/system_packages.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "plan/configured_packages.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SystemPackages : public testing::Test {
 protected:
  std::vector<std::string> list(std::string_view content) {
    tree_.file("build/pkgs/zlib/distros/debian.txt", content);
    return SystemPackageLists(packages_).of("zlib", "debian");
  }
  TreeText tree_{"zlib standard 1\n_prereq/distros/debian.txt = gcc\n"};
  PackageIndex packages_ = PackageIndex::read(tree_.path());
};

TEST_F(SystemPackages, AreTheWordsWithoutComments) {
  EXPECT_THAT(list("a b\n\n# none\n  c # and d\ne\tf\r\n#"), ElementsAre("a", "b", "c", "e", "f"));
  EXPECT_THAT(list("\"pkgconfig(zlib)\" x\n\"\""), ElementsAre("pkgconfig(zlib)", "x"));
  EXPECT_THAT(list("python3${PYTHON_MINOR}-devel\n"), ElementsAre("python3${PYTHON_MINOR}-devel"));
  EXPECT_THAT(list(""), IsEmpty());
}

TEST_F(SystemPackages, MissingFilesAreEmpty) {
  SystemPackageLists lists(packages_);
  EXPECT_THAT(lists.of("zlib", "fedora"), IsEmpty());
  EXPECT_THAT(lists.of("nothing", "debian"), IsEmpty());
  EXPECT_THAT(lists.of("_prereq", "debian"), ElementsAre("gcc")) << "a folder that is no package has one";
  EXPECT_FALSE(lists.is_of_systems_python("nothing"));
}

TEST_F(SystemPackages, AListIsReadOnce) {
  tree_.file("build/pkgs/zlib/distros/debian.txt", "first\n");
  SystemPackageLists lists(packages_);
  lists.of("zlib", "debian");
  tree_.file("build/pkgs/zlib/distros/debian.txt", "second\n");
  EXPECT_THAT(lists.of("zlib", "debian"), ElementsAre("first"));
}

TEST_F(SystemPackages, ListsOutsideOfTheTreeOrThatAreNoTextAreRefused) {
  TemporaryFolder outside(fs::temp_directory_path());
  write_file(outside.path() / "list", "secret\n");
  tree_.link("build/pkgs/zlib/distros/debian.txt", (outside.path() / "list").string());
  EXPECT_THROW(SystemPackageLists(packages_).of("zlib", "debian"), Error);
  EXPECT_THROW(SystemPackageLists(packages_).of("zlib", "../../../../x"), Error);
  tree_.remove("build/pkgs/zlib/distros/debian.txt");
  try {
    list("\xff\n");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("build/pkgs/zlib/distros/debian.txt: is not UTF-8"));
  }
}

TEST_F(SystemPackages, SpkgConfigureSaysWhetherThePackageIsOfTheSystemsPython) {
  tree_.file("build/pkgs/zlib/spkg-configure.m4",
             "SAGE_SPKG_CONFIGURE([zlib], [SAGE_PYTHON_PACKAGE_CHECK([zlib])])\n");
  EXPECT_TRUE(SystemPackageLists(packages_).is_of_systems_python("zlib"));
  tree_.file("build/pkgs/zlib/spkg-configure.m4", "SAGE_SPKG_CONFIGURE([zlib], [x])\n");
  EXPECT_FALSE(SystemPackageLists(packages_).is_of_systems_python("zlib"));
  EXPECT_FALSE(SystemPackageLists(packages_).is_of_systems_python("_prereq"));
}

// --- What configure decided

using Names = std::set<std::string>;

TEST(ConfiguredPackages, AreReadFromTheMakefile) {
  EXPECT_EQ(
      read_configured_makefile("# made by configure\n"
                               "DUMMY_PACKAGES_OLD = no\n"
                               "OPTIONAL_INSTALLED_PACKAGES = a \\\n"
                               "    b c\n"
                               "DUMMY_PACKAGES = zlib \\\n"
                               "\tpari_x \\\n"
                               "    gf2x+y 4ti2 # comment\n"
                               "DUMMY_PACKAGES = the first counts\n"
                               "NEXT = d\n"),
      (ConfiguredPackages{.dummies = {"zlib", "pari_x", "gf2x+y", "4ti2"}, .installed = {"a", "b", "c"}}));
  EXPECT_EQ(read_configured_makefile("DUMMY_PACKAGES := zlib\n"),
            (ConfiguredPackages{.dummies = {"zlib"}, .installed = {}}));
  EXPECT_EQ(read_configured_makefile("DUMMY_PACKAGES =\nNEXT = x\n"), ConfiguredPackages());
  EXPECT_EQ(read_configured_makefile("DUMMY_PACKAGES=a\\\n"), (ConfiguredPackages{{"a"}, {}})) << "cut";
}

TEST(ConfiguredPackages, WithoutTheVariableOrItsValueThereIsNothing) {
  for (const char* text : {"", "X = DUMMY_PACKAGES = a\n", "\tDUMMY_PACKAGES = a\n", "DUMMY_PACKAGES: a\n",
                           "DUMMY_PACKAGES = @SAGE_DUMMY@\n", "DUMMY_PACKAGES = a \\\n  @B@\n",
                           "DUMMY_PACKAGES\n", "OPTIONAL_INSTALLED_PACKAGES = a\n"})
    EXPECT_EQ(read_configured_makefile(text), std::nullopt) << text;
  EXPECT_EQ(read_configured_makefile("DUMMY_PACKAGES = a\nOPTIONAL_INSTALLED_PACKAGES = @X@\n"),
            (ConfiguredPackages{{"a"}, {}}));
}

TEST(ConfiguredPackages, WordsThatAreNoNamesAreLeftOut) {
  EXPECT_EQ(read_configured_makefile("DUMMY_PACKAGES = good ../x $(y) a/b 'q' \x1b[2J \xff a;b\n")->dummies,
            Names({"good"}));
}

TEST(ConfiguredPackages, TheirTextIsReadBack) {
  for (const ConfiguredPackages& one :
       {ConfiguredPackages(), ConfiguredPackages{{"zlib", "gf2x+y"}, {"a_b", "c.d"}}}) {
    std::string text = configured_text(one);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(parse_configured(text), one);
  }
}

TEST(ConfiguredPackages, ForeignTextIsIgnored) {
  for (const char* text :
       {"", "null", "3", "[]", "{}", "{", "{\"dummies\":[]}", "{\"installed\":[]}",
        "{\"dummies\":{},\"installed\":[]}", "{\"dummies\":\"a\",\"installed\":[]}",
        "{\"dummies\":[1],\"installed\":[]}", "{\"dummies\":[\"../x\"],\"installed\":[]}",
        "{\"dummies\":[\"\"],\"installed\":[]}", "{\"dummies\":[],\"installed\":[\"a b\"]}",
        "{\"dummies\":[],\"installed\":[]} x", "\xff"})
    EXPECT_EQ(parse_configured(text), std::nullopt) << text;
  EXPECT_NE(parse_configured("{\"dummies\":[],\"installed\":[],\"more\":1}\n"), std::nullopt);
}

}  // namespace
}  // namespace stagemake
