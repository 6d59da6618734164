#include "environment/shell_forms.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.h"
#include "tree/tree_text.h"

namespace stagemake {
namespace {

using testing::HasSubstr;

constexpr std::string_view kTree =
    "zlib standard 1\n"
    "zlib/spkg-configure.m4 = m4\n"
    "pari standard 2\n"
    "opt optional 1: zlib\n"
    "/VERSION.txt = SageMath version 9.8, Release   Date: 2023\n"
    "/src/two = first\n";

class ShellForms : public testing::Test {
 protected:
  // "…unexpanded" if the text is left alone.
  std::string expand(std::string_view text) {
    ShellFacts facts{.packages = packages_, .revision = [this]() -> std::optional<std::string> {
                       ++asked_;
                       return revision_;
                     }};
    return expand_shell_forms(text, facts).value_or("…unexpanded");
  }

  TreeText tree_{kTree};
  PackageIndex packages_ = PackageIndex::read(tree_.path());
  std::optional<std::string> revision_ = "v1-dirty";
  unsigned asked_ = 0;
};

TEST_F(ShellForms, KnownFormsAreEvaluated) {
  const std::vector<std::pair<const char*, const char*>> all = {
      {"", ""},
      {"plain {text} 'quotes'", "plain {text} 'quotes'"},
      // sed on the name
      {"$(echo docker-x-incremental | sed 's/-incremental//')", "docker-x"},
      {"$(echo docker-x-incremental|sed s/-incremental//)", "docker-x"},
      {"$( echo a | sed \"s/a/b/\" )", "b"},
      {"$(echo aXaX | sed 's/X//')", "aaX"},
      {"$(echo aXaX | sed 's/X//g')", "aa"},
      {"$(echo aXa | sed 's/X/-/;s/a/b/g')", "b-b"},
      {"$(echo a/b | sed 's,/,-,')", "a-b"},
      {"$(echo a.b | sed 's/[.]/_/;s/[.]/x/')", "a_b"},
      {"$(echo a.b | sed 's/\\./_/')", "a_b"},
      {"$(echo ab | sed 's/^a//')", "b"},
      {"$(echo aab | sed 's/^a/x/g')", "xab"},
      {"$(echo docker-x-minimal | sed 's/docker-//; s/-minimal//')", "x"},
      {"$(echo x-minimal | sed -E 's/-(minimal|standard)//')", "x"},
      {"$(echo x-standard | sed -r 's/-(minimal|standard)$//')", "x"},
      {"$(echo x-standard | sed -E 's/a(b)?//g')", "x-stndrd"},
      {"$(echo 'a  b' \"c | d\" | sed 's/ //')", "a b c | d"},
      {"$(echo none | sed 's/x/y/')", "none"},
      // head
      {"$(head -n 1 VERSION.txt)", "SageMath version 9.8, Release Date: 2023"},
      {"$(head -n1 src/two)", "first"},
      {"$(head -1 'src/two')", "first"},
      {"$(head -n 1 no/such/file)", ""},
      // sage-package list
      {"$(sage-package list :standard:)", "pari zlib"},
      {"$(build/bin/sage-package list --has-file=spkg-configure.m4 :standard:)", "zlib"},
      {"$(sage-package list --has-file 'spkg-configure.m4' :all:)", "zlib"},
      {"$(sage-package list opt --include-dependencies)", "opt zlib"},
      // the revision
      {"$BUILD_TAG", "v1-dirty"},
      {"x:${BUILD_TAG}y", "x:v1-dirtyy"},
      {"$BUILD_TAG-x", "v1-dirty-x"},
      {"$(git describe --dirty --always)", "v1-dirty"},
      // several
      {"a $(head -n 1 src/two) b $(echo x | sed s/x/y/) $BUILD_TAG", "a first b y v1-dirty"},
  };
  for (const auto& [text, expected] : all) EXPECT_EQ(expand(text), expected) << text;
}

TEST_F(ShellForms, AnythingElseIsLeftAlone) {
  for (const char* text : {"$HOME",
                           "${HOME}",
                           "$BUILD_TAGS",
                           "$BUILD_TAG_2",
                           "$BUILD_TAG2",
                           "${BUILD_TAG:-x}",
                           "$",
                           "`id`",
                           "a `id` b",
                           "$(",
                           "$(id",
                           "$()",
                           "$((1+1))",
                           "$(id)",
                           "$(echo x)",
                           "$(cat VERSION.txt)",
                           "$(echo x | tr x y)",
                           "$(echo x | sed s/x/y/ | sed s/y/z/)",
                           "$(echo -n x | sed s/x/y/)",
                           "$(echo $HOME | sed s/x/y/)",
                           "$(echo * | sed s/x/y/)",
                           "$(echo x | sed -n s/x/y/)",
                           "$(echo x | sed -e s/x/y/ -e s/y/z/)",
                           "$(echo x | sed)",
                           "$(echo x | sed p)",
                           "$(echo x | sed s/x/y)",
                           "$(echo x | sed s/x/y/p)",
                           "$(echo x | sed 's/x/&&/')",
                           "$(echo x | sed -E 's/(x)/\\1/')",
                           "$(echo x | sed 's/x*/y/')",
                           "$(echo x | sed -E 's/x+/y/')",
                           "$(echo x | sed -E 's/x{2}/y/')",
                           "$(echo x | sed -E 's/(/y/')",
                           "$(echo x | sed 's//y/')",
                           "$(echo x | sed 's/\\(x\\)/y/')",
                           "$(echo x | sed s/x/y/ > file)",
                           "$(head VERSION.txt)",
                           "$(head -n 2 VERSION.txt)",
                           "$(head -n 1 a b)",
                           "$(head -n 1 --help)",
                           "$(head -c 1 VERSION.txt)",
                           "$(head -n 1 $FILE)",
                           "$(head -n 1 VERSION.txt; id)",
                           "$(git describe)",
                           "$(git describe --always --dirty)",
                           "$(sage-package)",
                           "$(sage-package tree)",
                           "$(sage-packages list)",
                           "$(sage-package list :all: | wc)",
                           "$(sage-package list $(echo x | sed s/x/y/))",
                           "good $(head -n 1 src/two) and $HOME"})
    EXPECT_EQ(expand(text), "…unexpanded") << text;
}

TEST_F(ShellForms, TheRevisionIsAskedForOnlyWhereItIsNeeded) {
  expand("$(head -n 1 src/two) plain");
  EXPECT_EQ(asked_, 0u);
  revision_.reset();
  EXPECT_EQ(expand("$BUILD_TAG"), "…unexpanded") << "no git tells it";
  EXPECT_EQ(asked_, 1u);
}

TEST_F(ShellForms, NoFileOutsideOfTheTreeIsRead) {
  tree_.link("out", "/etc/passwd");
  for (const char* text : {"$(head -n 1 /etc/passwd)", "$(head -n 1 ../x)", "$(head -n 1 out)"}) {
    try {
      ADD_FAILURE() << expand(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::BadInput);
      EXPECT_THAT(error.what(), HasSubstr("leads out of the tree"));
    }
  }
}

TEST_F(ShellForms, ArgumentsThatSagePackageRefusesAreRefused) {
  EXPECT_THROW(expand("$(sage-package list --no-such-option)"), Error);
  EXPECT_THROW(expand("$(sage-package list :most:)"), Error);
  EXPECT_EQ(expand("$(sage-package list no_such_package)"), "no_such_package") << "it asks no further";
}

TEST_F(ShellForms, KnowsWhatAShellWouldReplace) {
  EXPECT_TRUE(has_shell_text("a $x"));
  EXPECT_TRUE(has_shell_text("`x`"));
  EXPECT_FALSE(has_shell_text("a {env:X} 'b' \"c\" *"));
}

// The real tool's answers for the 2026 release.
TEST(ShellFormsOf2026, PackagesWithWhatTheyNeed) {
  fs::path tree = fs::path(STAGEMAKE_SHARED_DIR) / "corpus/passagemath-2026-08";
  if (!fs::exists(tree)) {
    const char* must = std::getenv("STAGEMAKE_SHARED_MUST_EXIST");
    if (must != nullptr && std::string_view(must) == "1") FAIL() << "no data in " << tree;
    GTEST_SKIP() << "no data in " << tree;
  }
  PackageIndex packages = PackageIndex::read(tree);
  ShellFacts facts{.packages = packages, .revision = [] { return std::nullopt; }};
  EXPECT_EQ(expand_shell_forms("$(sage-package list --include-dependencies _recommended)", facts),
            "_recommended ffmpeg free_fonts git imagemagick libjpeg pandoc texlive texlive_luatex xindy");
  EXPECT_EQ(expand_shell_forms("$(sage-package list --include-dependencies _develop)", facts),
            "_bootstrap _develop colorama execnet git github_cli iniconfig packaging pluggy pytest "
            "pytest_xdist tomli");
}

}  // namespace
}  // namespace stagemake
