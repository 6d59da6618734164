#include "tree/git_ignore.h"

#include <gtest/gtest.h>

#include "base/files/files.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using Word = GitIgnore::Word;

TEST(GitIgnore, SaysWhatGitsManualSays) {
  GitIgnore rules(
      "# comment\n/setup.cfg\nbuild/\n*.egg-info\n!kept.egg-info\ndoc/**/out\nlogs/**\n\\#odd\nend\\ \n");
  EXPECT_EQ(rules.of("setup.cfg", false), Word::Ignored);
  EXPECT_EQ(rules.of("a/setup.cfg", false), Word::Nothing);
  EXPECT_EQ(rules.of("build", true), Word::Ignored);
  EXPECT_EQ(rules.of("build", false), Word::Nothing) << "no folder";
  EXPECT_EQ(rules.of("a/build", true), Word::Ignored);
  EXPECT_EQ(rules.of("a/b.egg-info", true), Word::Ignored);
  EXPECT_EQ(rules.of("a/kept.egg-info", true), Word::TakenBack);
  EXPECT_EQ(rules.of("doc/out", false), Word::Ignored);
  EXPECT_EQ(rules.of("doc/a/b/out", false), Word::Ignored);
  EXPECT_EQ(rules.of("a/doc/out", false), Word::Nothing);
  EXPECT_EQ(rules.of("logs", true), Word::Nothing);
  EXPECT_EQ(rules.of("logs/a/b", false), Word::Ignored);
  EXPECT_EQ(rules.of("#odd", false), Word::Ignored);
  EXPECT_EQ(rules.of("end ", false), Word::Ignored);
  EXPECT_EQ(GitIgnore().of("a", false), Word::Nothing);
}

// git is asked about the same patterns and paths.
TEST(GitIgnore, AgreesWithGit) {
  if (find_program("git").empty()) GTEST_SKIP() << "no git";
  const std::vector<std::string> patterns{
      "a",     "/a",      "a/",     "/a/b",  "a/b",    "*.c",    "/*.c",  "**/c", "a/**",        "a/**/c",
      "!a",    "!/b/a",   "[!a-b]", "[ab]*", "\\!x",   "\\#x",   "?",     "a?c",  "a*c",         "a**c",
      "b/*/c", "x y",     "x y ",   "x\\ ",  "/**",    "**",     "b/**/", "*/a",  "[[:digit:]]", "#a",
      "",      " ",       "//a",    "[a",    "[]a]",   "[a-]",   "[^a]b", "\\a",  "a\\",         "**a",
      "a**",   "**/**/c", "***",    "*/**",  "**/*/c", "[\\]a]", "c//",
  };
  const std::vector<std::string> paths{"a",      "b",     "c",     "a.c",    "b/a", "a/b",     "a/c",
                                       "b/a.c",  "a/b/c", "b/x/c", "b/c",    "!x",  "#x",      "x y",
                                       "x ",     "abc",   "ac",    "a/xx/c", "7",   "b/b/b/a", "c/a/b",
                                       "xx/c/c", "#a",    "axbc",  "a-",     "ab",  "]",       "-"};
  TemporaryFolder folder(fs::temp_directory_path());
  std::string root = folder.path().string();
  ASSERT_TRUE(run_command({.argv = {"git", "-C", root, "init", "--quiet"}}).ok());
  unsigned ignored = 0;
  for (std::size_t first = 0; first < patterns.size(); ++first) {
    // Each pattern alone, and before another.
    for (const std::string& second : {std::string(), std::string("!a")}) {
      std::string text = patterns[first] + "\n" + second + "\n";
      write_file(folder.path() / ".gitignore", text);
      GitIgnore rules(text);
      Command ask{.argv = {"git", "-C", root, "check-ignore", "--no-index", "--"}};
      ask.argv.insert(ask.argv.end(), paths.begin(), paths.end());
      std::string told = run_command(ask).output;
      std::set<std::string> by_git;
      for (std::string_view line : lines(std::string_view(told))) by_git.emplace(line);
      for (const std::string& path : paths) {
        bool out = false;
        for (std::size_t end = path.find('/'); !out; end = path.find('/', end + 1)) {
          bool whole = end == std::string::npos;
          out = rules.of(path.substr(0, end), !whole) == Word::Ignored;
          if (whole) break;
        }
        EXPECT_EQ(out, by_git.contains(path)) << path << " by " << text;
        ignored += out;
      }
    }
  }
  EXPECT_GT(ignored, 100u);
}

}  // namespace
}  // namespace stagemake
