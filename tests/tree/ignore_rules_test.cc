// .dockerignore by Docker's rules. The expectations come from Docker's own matcher, moby/patternmatcher.
#include "tree/ignore_rules.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

bool out(std::string_view rules, std::string_view path) {
  return IgnoreRules(rules).excluded(path);
}

TEST(IgnoreRules, WithoutPatternsNothingIsExcluded) {
  EXPECT_FALSE(IgnoreRules().excluded("a"));
  EXPECT_FALSE(IgnoreRules().excluded("a/b/c"));
  EXPECT_FALSE(out("", "a"));
  EXPECT_FALSE(out("\n   \n\t\n", "a"));
}

TEST(IgnoreRules, PatternsAreAnchoredAtTheRoot) {
  EXPECT_TRUE(out("foo", "foo"));
  EXPECT_FALSE(out("foo", "a/foo")) << "git would exclude it, Docker does not";
  EXPECT_FALSE(out("foo", "foobar"));
  EXPECT_TRUE(out("a/foo", "a/foo"));
  EXPECT_FALSE(out("a/foo", "b/a/foo"));
  EXPECT_FALSE(out("*.o", "a/x.o"));
  EXPECT_TRUE(out("*.o", "x.o"));
}

TEST(IgnoreRules, LeadingAndTrailingSlashesMeanNothing) {
  for (std::string_view rule :
       {"/foo", "foo/", "/foo/", "./foo", "foo/.", "//foo", "bar/../foo", "/../foo"}) {
    EXPECT_TRUE(out(rule, "foo")) << rule;
    EXPECT_TRUE(out(rule, "foo/below")) << rule;
    EXPECT_FALSE(out(rule, "bar")) << rule;
  }
}

TEST(IgnoreRules, PatternsOutsideTheTreeMatchNothing) {
  EXPECT_FALSE(out("../foo", "foo"));
  EXPECT_FALSE(out("../../foo", "foo"));
  EXPECT_FALSE(out("a/../../foo", "foo"));
  EXPECT_FALSE(out(".", "foo"));
  EXPECT_FALSE(out("/", "foo"));
}

TEST(IgnoreRules, FilesBelowAnExcludedFolderAreExcluded) {
  EXPECT_TRUE(out("a", "a/b/c/d"));
  EXPECT_TRUE(out("a/b", "a/b/c/d"));
  EXPECT_FALSE(out("a/b", "a/c"));
  EXPECT_FALSE(out("a/b", "a"));
}

TEST(IgnoreRules, AStarStaysInItsPart) {
  EXPECT_TRUE(out("a/*", "a/b"));
  EXPECT_TRUE(out("a/*/c", "a/b/c"));
  EXPECT_FALSE(out("a/*/c", "a/c"));
  EXPECT_FALSE(out("a/*/c", "a/b/b/c"));
  EXPECT_TRUE(out("*a*b*", "xaybz"));
  EXPECT_FALSE(out("*a*b*", "xbya"));
  EXPECT_TRUE(out("*", ".hidden")) << "unlike in a shell";
  EXPECT_TRUE(out("lib?.so", "libm.so"));
  EXPECT_FALSE(out("lib?.so", "lib.so"));
  EXPECT_FALSE(out("a?b", "a/b"));
}

TEST(IgnoreRules, AQuestionMarkIsOneCharacterOfAnyLength) {
  EXPECT_TRUE(out("a?b",
                  "a\xc3\xa9"
                  "b"));
  EXPECT_TRUE(out("a?b",
                  "a\xe2\x82\xac"
                  "b"));
  EXPECT_FALSE(out("a??b",
                   "a\xc3\xa9"
                   "b"));
}

TEST(IgnoreRules, TwoStarsSpanFolders) {
  for (std::string_view path : {"foo", "a/foo", "a/b/c/foo"}) EXPECT_TRUE(out("**/foo", path)) << path;
  EXPECT_FALSE(out("**/foo", "xfoo"));
  EXPECT_FALSE(out("**/foo", "a/xfoo"));
  for (std::string_view path : {"x.pyc", "a/x.pyc", "a/b/.pyc"}) EXPECT_TRUE(out("**/*.pyc", path)) << path;
  EXPECT_TRUE(out("a/**", "a/b"));
  EXPECT_TRUE(out("a/**", "a/b/c"));
  EXPECT_FALSE(out("a/**", "a")) << "the folder itself stays, empty";
  for (std::string_view path : {"a/b", "a/x/b", "a/x/y/b", "a/x/y/b/z"})
    EXPECT_TRUE(out("a/**/b", path)) << path;
  EXPECT_FALSE(out("a/**/b", "b"));
  EXPECT_FALSE(out("a/**/b", "a/xb"));
  EXPECT_TRUE(out("**", "anything/at/all"));
  EXPECT_TRUE(out("**/**/b", "b"));
  EXPECT_TRUE(out("**/b/**", "a/b/c"));
  EXPECT_FALSE(out("**/b/**", "a/b"));
}

TEST(IgnoreRules, TwoStarsInsideAPart) {
  EXPECT_TRUE(out("a**", "abc"));
  EXPECT_TRUE(out("a**", "abc/def"));
  EXPECT_FALSE(out("a**", "ba"));
  for (std::string_view path : {"ab", "a/b", "ax/b", "ax/y/b"}) EXPECT_TRUE(out("a**b", path)) << path;
  EXPECT_FALSE(out("a**b", "axb"));
  EXPECT_TRUE(out("a**/b", "ax/y/b"));
  for (std::string_view path : {"x.pyc", "a/x.pyc", ".pyc"}) EXPECT_TRUE(out("**.pyc", path)) << path;
  EXPECT_FALSE(out("**.pyc", "x.py"));
  EXPECT_TRUE(out("**b/c", "xb/c"));
  EXPECT_FALSE(out("**b?", "xbc")) << "with another special character it is **/b?";
  EXPECT_TRUE(out("**b?", "x/bc"));
  EXPECT_TRUE(out("x/**b", "x/y/b"));
  EXPECT_FALSE(out("x/**b", "x/yb"));
  EXPECT_TRUE(out("a***b", "axb")) << "`**` and then `*`";
  std::string many;
  for (int i = 0; i < 50; ++i) many += "a**";
  EXPECT_FALSE(out(many + "b", "aab")) << "and it returns";
}

TEST(IgnoreRules, TheLastPatternThatMatchesWins) {
  EXPECT_FALSE(out("*.md\n!README.md\n", "README.md"));
  EXPECT_TRUE(out("*.md\n!README.md\n", "NEWS.md"));
  EXPECT_TRUE(out("!README.md\n*.md\n", "README.md"));
  EXPECT_TRUE(out("*.md\n!README*.md\nREADME-secret.md\n", "README-secret.md"));
  EXPECT_FALSE(out("!a", "a"));
  EXPECT_FALSE(out("a\n!  a  \n", "a")) << "blanks around what is taken back";
  EXPECT_FALSE(out("a\n!/a/\n", "a"));
}

TEST(IgnoreRules, ATakenBackFolderTakesBackWhatLiesBelow) {
  EXPECT_FALSE(out("a\n!a/b\n", "a/b"));
  EXPECT_FALSE(out("a\n!a/b\n", "a/b/c/d"));
  EXPECT_TRUE(out("a\n!a/b\n", "a/c"));
  EXPECT_TRUE(out("a\n!a/b\na/b/c\n", "a/b/c/d"));
  EXPECT_FALSE(out("**/*.o\n!keep/**\n", "keep/x.o"));
  EXPECT_FALSE(out("*\n!src\n", "src/deep/file"));
  EXPECT_TRUE(out("*\n!src\n", "other/file"));
}

TEST(IgnoreRules, CharacterClasses) {
  EXPECT_TRUE(out("[abc].txt", "b.txt"));
  EXPECT_FALSE(out("[abc].txt", "d.txt"));
  EXPECT_TRUE(out("[a-c0-9]x", "5x"));
  EXPECT_FALSE(out("[a-c0-9]x", "dx"));
  EXPECT_TRUE(out("[^a]x", "bx"));
  EXPECT_FALSE(out("[^a]x", "ax"));
  EXPECT_TRUE(out("*.py[co]", "m.pyo"));
  EXPECT_FALSE(out("*.py[co]", "m.py"));
  EXPECT_TRUE(out("[!a]", "!")) << "`!` negates nothing here";
  EXPECT_FALSE(out("[!a]", "b"));
  EXPECT_TRUE(out("[\\]]x", "]x"));
  EXPECT_FALSE(out("[abc", "a")) << "a class without its end matches nothing";
  EXPECT_TRUE(out("x[-a]", "x-"));
}

TEST(IgnoreRules, ABackslashTakesTheNextCharacterAsItIs) {
  EXPECT_TRUE(out("a\\*b", "a*b"));
  EXPECT_FALSE(out("a\\*b", "axb"));
  EXPECT_TRUE(out("\\!a", "!a"));
  EXPECT_TRUE(out("\\#a", "#a"));
  EXPECT_TRUE(out("a\\?", "a?"));
  EXPECT_FALSE(out("a\\?", "ab"));
  EXPECT_TRUE(out("\\a", "a"));
}

TEST(IgnoreRules, CommentsBeginInTheFirstColumn) {
  EXPECT_FALSE(out("# foo\n#foo\n", "foo"));
  EXPECT_FALSE(out("#foo", "#foo"));
  EXPECT_TRUE(out(" #foo", "#foo")) << "to Docker a comment has no blank before it";
  EXPECT_TRUE(out("foo #bar", "foo #bar")) << "nor text";
  EXPECT_FALSE(out("foo #bar", "foo"));
}

TEST(IgnoreRules, LineEndsAndBlanksAroundPatternsMeanNothing) {
  EXPECT_TRUE(out("foo\r\nbar\r\n", "foo"));
  EXPECT_TRUE(out("foo\r\nbar\r\n", "bar"));
  EXPECT_TRUE(out("  foo \t\n", "foo"));
  EXPECT_TRUE(out("foo", "foo")) << "a last line without an end";
  EXPECT_TRUE(out("a b", "a b"));
  EXPECT_TRUE(
      out("\xef\xbb\xbf"
          "foo\n",
          "foo"))
      << "a byte order mark";
  EXPECT_FALSE(out("\xef\xbb\xbf# foo\n", "# foo"));
}

TEST(IgnoreRules, OddLinesAreNoPatterns) {
  EXPECT_FALSE(out("!\n!  \n", "a"));
  EXPECT_TRUE(out("!\nfoo", "foo"));
  EXPECT_TRUE(out("a+b(c)|{d}$.^", "a+b(c)|{d}$.^")) << "characters of regular expressions are themselves";
}

TEST(IgnoreRules, WalkingATreeGivesWhatAskingForEachPathGives) {
  IgnoreRules rules("a\n!a/b\na/b/*.o\n**/tmp\n!**/tmp/keep\n");
  auto walked = [&](std::initializer_list<std::string_view> steps) {
    IgnoreRules::Inherited above = rules.at_root();
    bool excluded = false;
    for (std::string_view step : steps) {
      IgnoreRules::Inherited own;
      excluded = rules.excluded(step, above, own);
      above = own;
    }
    return excluded;
  };
  EXPECT_EQ(walked({"a", "a/b", "a/b/c.o"}), rules.excluded("a/b/c.o"));
  EXPECT_TRUE(walked({"a", "a/b", "a/b/c.o"}));
  EXPECT_FALSE(walked({"a", "a/b", "a/b/c.c"}));
  EXPECT_TRUE(walked({"x", "x/tmp", "x/tmp/file"}));
  EXPECT_FALSE(walked({"x", "x/tmp", "x/tmp/keep"}));
  EXPECT_FALSE(rules.excluded("x/tmp/keep"));
}

TEST(IgnoreRules, AnExcludedFolderIsWalkedOnlyIfSomethingBelowMayBeTakenBack) {
  auto walks = [](std::string_view rules, std::string_view folder) {
    return IgnoreRules(rules).may_take_back_below(folder);
  };
  EXPECT_FALSE(walks("a\nb\n", "a"));
  EXPECT_TRUE(walks("a\n!a/b/c\n", "a"));
  EXPECT_TRUE(walks("a\n!a/b/c\n", "a/b"));
  EXPECT_FALSE(walks("a\n!a/b/c\n", "a/x"));
  EXPECT_FALSE(walks("a\n!b/c\n", "a"));
  EXPECT_TRUE(walks("a\n!*/c\n", "a"));
  EXPECT_TRUE(walks("a\n!**/c\n", "a/b/c/d"));
  EXPECT_FALSE(walks("a\n!x/**/c\n", "a"));
  EXPECT_TRUE(walks("a\n!a**c\n", "ab/d"));
  EXPECT_FALSE(walks("a\n!a/b\n", "a/b/c")) << "what lies below a folder that was taken back is in already";
}

}  // namespace
}  // namespace stagemake
