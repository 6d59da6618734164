#include "base/text/text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/process/subprocess.h"

namespace stagemake {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Text, TrimsAndSplits) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_THAT(words("  a\tb\n\nc "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(words(" \n"), IsEmpty());
  EXPECT_THAT(lines("a\r\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines(""), IsEmpty());
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(Text, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(shell_quoted("plain-1.2_x/y:z,@%+=w"), "plain-1.2_x/y:z,@%+=w");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("~"), "'~'");
  EXPECT_EQ(shell_quoted(std::vector<std::string>{"a", "b c", ""}), "a 'b c' ''");
}

TEST(Text, AShellReadsBackQuotedText) {
  std::string every;
  for (int c = 1; c < 256; ++c) every += static_cast<char>(c);
  std::vector<std::string> all{every, "", "$(touch x) `id` \\", "a\nb", "-n", "*?[a]{b,c}~!#;&|<>()", "'\"'"};
  std::string script = "printf '%s\\0' " + shell_quoted(all);
  std::string expected;
  for (const std::string& word : all) expected += word + '\0';
  Command command;
  command.argv = {"/bin/sh", "-c", script};
  EXPECT_EQ(run_command(command).output, expected);
}

TEST(Text, MakesControlBytesVisible) {
  EXPECT_EQ(printable("a\tb größe 数 🧮"), "a\tb größe 数 🧮");
  EXPECT_EQ(printable("\x1b[31m\r\n\x7f"), "\\x1b[31m\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\xc2\x9b"), "\\u009b") << "C1 controls drive terminals too";
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
}

TEST(Text, ShowsWhatHidesOrTurnsText) {
  EXPECT_EQ(printable("if (admin\u202e \u2066{ // ok\u2069"), "if (admin\\u202e \\u2066{ // ok\\u2069");
  // Both ends of every range, and their neighbors, which are plain.
  auto utf8 = [](char32_t c) {
    std::string text;
    if (c < 0x80) return text += static_cast<char>(c);
    auto more = [&](int shift) { text += static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x800) return text += static_cast<char>(0xc0 | c >> 6), more(0), text;
    if (c < 0x10000) return text += static_cast<char>(0xe0 | c >> 12), more(6), more(0), text;
    return text += static_cast<char>(0xf0 | c >> 18), more(12), more(6), more(0), text;
  };
  const std::pair<char32_t, char32_t> kHidden[] = {
      {0x80, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},     {0x61c, 0x61c},     {0x200b, 0x200f},
      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef},   {0xfeff, 0xfeff},   {0x3164, 0x3164},
      {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}, {0x1d173, 0x1d17a}, {0x10fffe, 0x10ffff}};
  for (auto [first, last] : kHidden) {
    for (char32_t c : {first, last}) {
      std::string shown = c > 0xffff ? fmt::format("\\U{:08x}", static_cast<unsigned>(c))
                                     : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      EXPECT_EQ(printable("a" + utf8(c) + "b"), "a" + shown + "b");
    }
    bool has_plain_before = first != 0x80 && first != 0xe0000;
    if (has_plain_before) {
      EXPECT_EQ(printable(utf8(first - 1)), utf8(first - 1));
    }
    if (last < 0xfff0) {
      EXPECT_EQ(printable(utf8(last + 1)), utf8(last + 1));
    }
  }
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    std::string once = printable(utf8(c));
    ASSERT_EQ(printable(once), once) << static_cast<unsigned>(c);
  }
}

TEST(Text, LeavesEmojiTheirForm) {
  EXPECT_EQ(printable("ok \u2714\ufe0f \u26a0\ufe0f!"), "ok \u2714\ufe0f \u26a0\ufe0f!");
  EXPECT_EQ(printable(":\ufe0f:error::"), ":\\ufe0f:error::") << "as some compare texts, that is ::error::";
  EXPECT_EQ(printable("\u2714\ufe0f\ufe0f\ufe0f"), "\u2714\ufe0f\\ufe0f\\ufe0f");
}

TEST(Text, ShowsLines) {
  EXPECT_EQ(printable_lines(""), "");
  EXPECT_EQ(printable_lines("a\r\nb\u2028\rc\n\n"), "a\nb\\u2028\\x0dc\n\n");
}

TEST(Text, KnowsUtf8) {
  for (const char* valid : {"", "a", "ü", "\xe2\x82\xac", "\xf0\x9f\xa7\xae", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(valid)) << printable(valid);
  for (const char* faulty : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                             "\xf5\x80\x80\x80", "a\xff"})
    EXPECT_FALSE(is_utf8(faulty)) << printable(faulty);
}

TEST(Text, ReadsTheWordsOfAShell) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> all = {
      {"", {}},
      {" \t\n", {}},
      {"a  b\tc\nd", {"a", "b", "c", "d"}},
      {"'a b' \"c d\"", {"a b", "c d"}},
      {"--x='a b'\"c\"d", {"--x=a bcd"}},
      {"'' \"\" x", {"", "", "x"}},
      {"'it is \"so\"' \"it's\"", {"it is \"so\"", "it's"}},
      {"'$HOME `id` \\ *'", {"$HOME `id` \\ *"}},
      {"\"* ? [a] # ~ ; & | < > ( ) { } !\"", {"* ? [a] # ~ ; & | < > ( ) { } !"}},
      {"a=b c:d e/f,g@h%i+j^k", {"a=b", "c:d", "e/f,g@h%i+j^k"}},
  };
  for (const auto& [text, expected] : all) EXPECT_EQ(shell_words(text), expected) << text;
}

TEST(Text, WordsThatNeedMoreOfAShellAreNone) {
  for (const char* text :
       {"$x", "\"$x\"", "`id`", "\"`id`\"", "a\\ b", "\"a\\\"\"", "*",  "a?", "[a]",   "a|b",    "a&",  "a;b",
        "<a", ">a",     "(a)",  "{a,b}",    "~",     "#a",        "a#", "!a", "'open", "\"open", "a 'b"})
    EXPECT_EQ(shell_words(text), std::nullopt) << text;
}

TEST(Text, ShellWordsAndQuotesAreOpposites) {
  std::vector<std::string> all{"plain", "", "a b", "$x `y` *?[]|&;<>(){}~#! \\", "a\nb\tc", "\"q\"", "-n"};
  EXPECT_EQ(shell_words(shell_quoted(all)), all);
}

TEST(Text, ShowsLongWordsCutAndPrintable) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
  EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "…");
  EXPECT_EQ(shown("a\x1b[2J"), "a\\x1b[2J");
  EXPECT_TRUE(is_utf8(shown(std::string(59, 'x') + "üü"))) << "also cut within a letter";
}

TEST(Text, FindsNearWords) {
  EXPECT_THAT(nearest("dokcer", {"docker", "podman", "buildah", "auto"}), ElementsAre("docker"));
  EXPECT_THAT(nearest("x", {"y", "zz", "abcdef"}), ElementsAre("y", "zz"));
  EXPECT_THAT(nearest("zlib", {}), IsEmpty());
  EXPECT_THAT(nearest("aaaa", {"aaab", "aaac", "aaad", "aaae"}, 2), ElementsAre("aaab", "aaac"));
}

TEST(Text, WritesDurationsAndSizesForPeople) {
  EXPECT_EQ(duration_text(0), "0.0 s");
  EXPECT_EQ(duration_text(9.94), "9.9 s");
  EXPECT_EQ(duration_text(9.96), "10 s");
  EXPECT_EQ(duration_text(59.4), "59 s");
  EXPECT_EQ(duration_text(59.6), "1 min 00 s");
  EXPECT_EQ(duration_text(125), "2 min 05 s");
  EXPECT_EQ(duration_text(3599.6), "1 h 00 min");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
  EXPECT_EQ(duration_text(-3), "0.0 s");
  EXPECT_EQ(duration_text(std::nan("")), "0.0 s");
  EXPECT_EQ(duration_text(1e300), duration_text(1e12)) << "no number of ours is so large";
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(1000), "1.0 kB");
  EXPECT_EQ(size_text(999'949), "999.9 kB");
  EXPECT_EQ(size_text(999'950), "1.0 MB");
  EXPECT_EQ(size_text(1'234'567'890), "1.2 GB");
  EXPECT_EQ(size_text(~0ull), "18.4 EB");
}

TEST(Text, SizesThatPeopleSay) {
  struct Case {
    const char* said;
    unsigned long long bytes;
  };
  for (const Case& one : {Case{"0", 0}, Case{"4096", 4096}, Case{"500M", 500'000'000},
                          Case{"12G", 12'000'000'000}, Case{"1.5 GB", 1'500'000'000}, Case{"2k", 2000},
                          Case{" 3 tb ", 3'000'000'000'000}, Case{"12B", 12}, Case{"0.5k", 500}})
    EXPECT_EQ(size_said(one.said), one.bytes) << one.said;
  for (const char* said :
       {"", "G", "-1", "1e3", "1GiB", "1.2.3G", "1X", "x", "999999P", "1 G G", ".", "inf", "nan"})
    EXPECT_EQ(size_said(said), std::nullopt) << said;
}

TEST(Counted, ANumberAgreesWithItsNoun) {
  EXPECT_EQ(counted(0, "stage"), "0 stages");
  EXPECT_EQ(counted(1, "stage"), "1 stage");
  EXPECT_EQ(counted(2, "stage"), "2 stages");
  EXPECT_EQ(counted(1, "process survives", "processes survive"), "1 process survives");
  EXPECT_EQ(counted(3, "process survives", "processes survive"), "3 processes survive");
}

TEST(SomeOf, NamesTheFirstAndCountsTheOthers) {
  EXPECT_EQ(some_of({}), "");
  EXPECT_EQ(some_of({"a", "b"}, 2), "a, b");
  EXPECT_EQ(some_of({"a", "b", "c", "\x1b"}, 2), "a, b and 2 more");
  EXPECT_EQ(some_of({"\x1b"}), "\\x1b");
  Listing listing{.how = "-v"};
  EXPECT_EQ(some_of({"a", "b", "c"}, listing, 1), "a and 2 more (-v lists them)");
  EXPECT_EQ(some_of({"a", "b"}, listing, 1), "a and 1 more (-v lists it)");
  EXPECT_EQ(some_of({"a", "b"}, listing, 2), "a, b");
  EXPECT_EQ(bracketed({"a", "b", "c"}, listing, 1), "(a and 2 more; -v lists them)");
  EXPECT_EQ(bracketed({"a", "b", "c"}, {}, 1), "(a and 2 more)");
  listing.is_whole = true;
  EXPECT_EQ(some_of({"a", "b", "c"}, listing, 1), "a, b, c");
  EXPECT_EQ(bracketed({"a", "b", "c"}, listing, 1), "(a, b, c)");
}

}  // namespace
}  // namespace stagemake
