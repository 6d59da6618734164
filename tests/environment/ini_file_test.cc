#include "environment/ini_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "NUMBER TEXT" for each line.
std::vector<std::string> told(const std::vector<IniLine>& lines) {
  std::vector<std::string> result;
  for (const IniLine& line : lines) result.push_back(fmt::format("{} {}", line.number, line.text));
  return result;
}

class IniFile : public testing::Test {
 protected:
  std::vector<IniSection> parse(std::string_view text) {
    faults_ = Faults();
    return parse_ini(text, "tox.ini", faults_);
  }
  std::vector<std::string> faults(std::string_view text) {
    parse(text);
    std::vector<std::string> result;
    for (const Fault& fault : faults_.list()) result.push_back(fault.text());
    return result;
  }
  // The logical lines of the only key of `text`.
  std::vector<std::string> logical(std::string_view value) {
    std::vector<IniSection> sections = parse(fmt::format("[s]\nkey =\n{}", value));
    EXPECT_THAT(faults_.list(), IsEmpty());
    return told(logical_lines(sections.at(0).keys.at(0)));
  }
  Faults faults_;
};

TEST_F(IniFile, SectionsKeysAndLinesHaveNumbers) {
  std::vector<IniSection> sections = parse(
      "[tox]\n"
      "envlist = first\n"
      "    second\n"
      "\n"
      "\tthird  \r\n"
      "empty =\n"
      "[testenv:docker-x]  # behind it\n"
      "key: with a colon = sign\n");
  EXPECT_THAT(faults_.list(), IsEmpty());
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[0].name, "tox");
  EXPECT_EQ(sections[0].number, 1u);
  ASSERT_EQ(sections[0].keys.size(), 2u);
  EXPECT_EQ(sections[0].keys[0].name, "envlist");
  EXPECT_EQ(sections[0].keys[0].number, 2u);
  EXPECT_THAT(told(sections[0].keys[0].lines), ElementsAre("2 first", "3 second", "5 third"));
  EXPECT_THAT(sections[0].keys[1].lines, IsEmpty());
  EXPECT_EQ(sections[1].name, "testenv:docker-x");
  EXPECT_EQ(sections[1].keys[0].name, "key");
  EXPECT_THAT(told(sections[1].keys[0].lines), ElementsAre("8 with a colon = sign"));
}

TEST_F(IniFile, OfKeysOfOneNameTheLastIsFound) {
  std::vector<IniSection> sections = parse("[s]\na = 1\nb = 2\na = 3\n");
  EXPECT_THAT(told(sections[0].find("a")->lines), ElementsAre("4 3"));
  EXPECT_THAT(told(sections[0].find("b")->lines), ElementsAre("3 2"));
  EXPECT_EQ(sections[0].find("c"), nullptr);
}

TEST_F(IniFile, CommentsAreWholeLines) {
  std::vector<IniSection> sections = parse(
      "# first\n; second\n"
      "[s]\n"
      "key =\n"
      "    one\n"
      "# at the first column\n"
      "    # indented\n"
      "; ends no value\n"
      "    two ; kept\n"
      "    ; a comment too\n");
  EXPECT_THAT(faults_.list(), IsEmpty());
  EXPECT_THAT(told(sections[0].keys[0].lines), ElementsAre("5 one", "9 two ; kept"));
}

TEST_F(IniFile, FaultsNameTheLine) {
  EXPECT_THAT(faults("[s\n"), ElementsAre("tox.ini:1: the section's name has no `]` at its end"));
  EXPECT_THAT(faults("\n  indented\n"),
              ElementsAre("tox.ini:2: a key must be in a section, and no section has begun"));
  EXPECT_THAT(faults("key = value\n"),
              ElementsAre("tox.ini:1: a key must be in a section, and no section has begun"));
  EXPECT_THAT(faults("key =\n  value\n"),
              ElementsAre("tox.ini:1: a key must be in a section, and no section has begun"));
  std::string neither = "is neither `[section]`, `key = value`, nor the indented line of a value";
  EXPECT_THAT(faults("[s]\nword\n= value\n"), ElementsAre("tox.ini:2: " + neither, "tox.ini:3: " + neither))
      << "all at once";
  EXPECT_THAT(faults("[s]\nword\n  of it\nkey = value\n"), ElementsAre("tox.ini:2: " + neither))
      << "the lines of a faulty key are skipped";
  EXPECT_THAT(faults(""), IsEmpty());
}

// configparser notices a second section or key of the same name, and refuses the file.
TEST_F(IniFile, DuplicateKeysAreFaultsOfTheirSection) {
  EXPECT_THAT(faults("[s]\na = 1\n[t]\nb = 2\n[s]\nA = 3\nc = 4\n"),
              ElementsAre("tox.ini:5: section [s] begins a second time; the first time is line 1",
                          "tox.ini:6: `A` is in [s] a second time; the first time is line 2"));
  std::vector<IniSection> sections = parse("[s]\na = 1\n[t]\nb = 2\n[s]\nA = 3\nc = 4\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_THAT(told(sections[0].find("a")->lines), ElementsAre("6 3"));
  EXPECT_THAT(told(sections[0].find("c")->lines), ElementsAre("7 4"));
  EXPECT_THAT(sections[0].faults, testing::SizeIs(2));
  EXPECT_THAT(sections[1].faults, IsEmpty());
}

TEST_F(IniFile, KeysAndSectionsMayBeIndentedAsConfigparserHasIt) {
  std::vector<IniSection> sections = parse("[s]\n  a =\n    1\n  b = 2\n    3\n  [t]\nC=4\n");
  EXPECT_THAT(faults_.list(), IsEmpty());
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[1].name, "t");
  EXPECT_THAT(told(sections[0].find("a")->lines), ElementsAre("3 1"));
  EXPECT_THAT(told(sections[0].find("b")->lines), ElementsAre("4 2", "5 3"));
}

TEST_F(IniFile, AnUnterminatedSectionKeepsItsKeys) {
  std::vector<IniSection> sections = parse("[s]\na = 1\n[broken\na = 2\n");
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sections[1].name, "broken");
  EXPECT_THAT(sections[1].faults, testing::SizeIs(1));
  EXPECT_THAT(told(sections[0].find("a")->lines), ElementsAre("2 1")) << "not those of the section before";
}

TEST_F(IniFile, AByteOrderMarkIsSkippedAndInvalidBytesAreFaults) {
  std::vector<IniSection> sections = parse("\xef\xbb\xbf[s]\r\na = 1\r\n");
  EXPECT_THAT(faults_.list(), IsEmpty());
  ASSERT_EQ(sections.size(), 1u);
  sections = parse("[s]\n# \xff\na = \xc3\xa4\xff \n");
  EXPECT_THAT(faults("[s]\n# \xff\na = \xc3\xa4\xff \n"),
              ElementsAre("tox.ini:2: is not UTF-8", "tox.ini:3: is not UTF-8"));
  EXPECT_THAT(told(sections[0].find("a")->lines), ElementsAre("3 \xc3\xa4?"));
  ASSERT_THAT(sections[0].faults, testing::SizeIs(1)) << "a comment spoils nothing";
  EXPECT_EQ(sections[0].faults[0].key, "a");
}

TEST_F(IniFile, ABracketInsideOfAValueIsItsText) {
  EXPECT_THAT(logical("  [not a section]\n"), ElementsAre("3 [not a section]"));
}

TEST_F(IniFile, LogicalLinesLoseTheirComments) {
  EXPECT_THAT(logical("  a # comment\n  b#c\n  d \\# e # f\n  #\n"), ElementsAre("3 a", "4 b", "5 d # e"));
  EXPECT_THAT(logical("  \\#\n"), ElementsAre("3 #"));
}

TEST_F(IniFile, ABackslashJoinsLinesAndTheNumberIsTheFirst) {
  EXPECT_THAT(logical("  a \\\n  b\\\n  c\n  d\n"), ElementsAre("3 a bc", "6 d"))
      << "a blank in front of the backslash stays; tox adds none";
  EXPECT_THAT(logical("  \\\n  a\n"), ElementsAre("3 a"));
  EXPECT_THAT(logical("  a \\\n  \\\n  b\n"), ElementsAre("3 a b"));
  EXPECT_THAT(logical("  a \\\n"), ElementsAre("3 a")) << "at the end of the value";
  EXPECT_THAT(logical("  a \\\n  # not part of it\n  b\n"), ElementsAre("3 a b"));
  EXPECT_THAT(logical("  a # comment \\\n  b\n"), ElementsAre("3 a", "4 b"));
}

}  // namespace
}  // namespace stagemake
