#include "emit/manual/markdown.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Kind = MarkdownBlock::Kind;
using Span = MarkdownSpan::Kind;

std::vector<MarkdownBlock> parsed(const std::string& text) {
  return parse_markdown("# Title\n" + text, "x.md");
}

std::string fault(const std::string& text) {
  try {
    parsed(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Markdown, HasBlocks) {
  std::vector<MarkdownBlock> blocks = parsed(
      "a\nb\n\n## H\n- one\n  more\n- two\n1. first\n\n    code\n\n      more\n\n### S\n| a | b "
      "|\n|---|---|\n"
      "| `x\\|y` | |\n");
  ASSERT_THAT(blocks, SizeIs(9));
  EXPECT_EQ(blocks[0].kind, Kind::Title);
  EXPECT_EQ(plain(blocks[1].text), "a b");
  EXPECT_EQ(blocks[2].kind, Kind::Heading);
  EXPECT_EQ(plain(blocks[3].text), "one more");
  EXPECT_EQ(blocks[4].number, "");
  EXPECT_EQ(blocks[5].number, "1.");
  EXPECT_THAT(blocks[6].lines, testing::ElementsAre("code", "", "  more"));
  EXPECT_EQ(blocks[7].kind, Kind::Subheading);
  ASSERT_THAT(blocks[8].rows, SizeIs(2));
  EXPECT_EQ(plain(blocks[8].rows[1][0]), "x|y");
  EXPECT_THAT(blocks[8].rows[1][1], SizeIs(0));
}

TEST(Markdown, HasSpans) {
  MarkdownText text = parse_markdown_text("a **b** *c* `d*` [e](f.md) [[g]]", "x");
  ASSERT_THAT(text, SizeIs(9));
  EXPECT_EQ(text[1].kind, Span::Bold);
  EXPECT_EQ(text[3].kind, Span::Italic);
  EXPECT_EQ(text[5].kind, Span::Code);
  EXPECT_EQ(text[5].text, "d*");
  EXPECT_EQ(text[7].kind, Span::Link);
  EXPECT_EQ(text[7].target, "f.md");
  EXPECT_EQ(text[8].text, " [[g]]");
}

TEST(Markdown, OtherConstructsAreErrorsWithTheirLine) {
  EXPECT_THAT(fault("a `b"), HasSubstr("x.md:2: "));
  EXPECT_THAT(fault("a **b"), HasSubstr("x.md:2: "));
  for (const char* text : {"![x](y)", "<b>", "```\nx\n```", "> x", "* x", "# again", "#### x", "  x",
                           "| a |\n| b |", "| a |\n|---|\n| b | c |", "| a\n", "| a |\n|---|", "- a\n  - b"})
    EXPECT_NE(fault(text), "") << text;
  EXPECT_THROW(parse_markdown("no title", "x.md"), Error);
  EXPECT_THROW(parse_markdown("", "x.md"), Error);
}

}  // namespace
}  // namespace stagemake
