// A drawing as lines of text, for dot, and as a picture.
#include "emit/drawing.h"

#include <gmock/gmock.h>

#include "emit/dot.h"
#include "emit/layered_layout.h"
#include "emit/svg.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kHostile = "<a href=\"x\">&'\\\x1b[31m\xff";

Drawing diamond() {
  return {.title = "four",
          .notes = {"a note"},
          .nodes = {{.name = "base", .note = "1 s", .weight = 1},
                    {.name = "left", .weight = 4, .is_stressed = true},
                    {.name = "right"},
                    {.name = "top", .is_subject = true}},
          .edges = {{0, 1, false, true}, {0, 2, true, false}, {1, 3, false, true}, {2, 3}}};
}

// Columns of so many nodes each, every node after all of the column before.
Drawing wide(std::size_t columns, std::size_t nodes) {
  Drawing drawing{.title = "wide"};
  for (std::size_t i = 0; i < columns * nodes; ++i) {
    drawing.nodes.push_back({.name = "node" + std::to_string(i), .weight = static_cast<double>(i)});
    for (std::size_t j = 0; i >= nodes && j < nodes; ++j)
      drawing.edges.push_back({.from = (i / nodes - 1) * nodes + j, .to = i});
  }
  return drawing;
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Levels, AreTheLongestWays) {
  EXPECT_THAT(levels(diamond()), ElementsAre(0, 1, 1, 2));
  Drawing shortcut = diamond();
  shortcut.edges.push_back({0, 3});
  EXPECT_THAT(levels(shortcut), ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(levels({}), testing::IsEmpty());
}

TEST(DrawingText, IsLevelByLevelWhereWaysMeet) {
  EXPECT_EQ(as_text(diamond()),
            "four\na note\n\n"
            "  1  base\n"
            "  2  left* right\n"
            "  3  [top]\n");
}

TEST(DrawingText, IsATreeWhereNoneDo) {
  Drawing tree{
      .title = "tree",
      .nodes = {{.name = "root", .note = "r"}, {.name = "a"}, {.name = "b", .note = "n"}, {.name = "leaf"}},
      .edges = {{0, 1}, {0, 2}, {1, 3}}};
  EXPECT_EQ(as_text(tree),
            "tree\n\n"
            "root      r\n"
            "  a\n"
            "    leaf\n"
            "  b       n\n");
}

TEST(DrawingText, OfNothingIsTheTitle) {
  EXPECT_EQ(as_text({.title = "empty"}), "empty\n");
}

TEST(DrawingText, CannotDriveATerminal) {
  Drawing hostile{.title = kHostile, .nodes = {{.name = kHostile, .note = kHostile}}};
  EXPECT_THAT(as_text(hostile), Not(HasSubstr("\x1b")));
}

TEST(Dot, SaysNodesAndEdges) {
  std::string text = as_dot(diamond());
  EXPECT_THAT(text, testing::StartsWith("digraph stages {\n"));
  EXPECT_THAT(text, HasSubstr("label=\"four\\na note\""));
  EXPECT_THAT(text, HasSubstr("n0 [label=\"base\\n1 s\", tooltip=\"base\""));
  EXPECT_THAT(text, HasSubstr("n0 -> n1 [color=\"#c0392b\", penwidth=2.5];"));
  EXPECT_THAT(text, HasSubstr("n0 -> n2 [style=dashed];"));
  EXPECT_THAT(text, HasSubstr("n2 -> n3;"));
}

TEST(Dot, QuotesWhatDotWouldRead) {
  std::string text = as_dot({.title = "t", .nodes = {{.name = "a\"b\\n&lt;"}, {.name = "\x1b"}}});
  EXPECT_THAT(text, HasSubstr("label=\"a\\\"b\\\\n&amp;lt;\""));
  EXPECT_THAT(text, HasSubstr("label=\"\\\\x1b\""));
}

TEST(Svg, HasEveryNodeAndEdgeOnce) {
  std::string text = as_svg(diamond());
  EXPECT_EQ(count(text, "<g><title>"), 4u);
  EXPECT_EQ(count(text, "<path "), 4u);
  EXPECT_EQ(count(text, "class=\"edge stressed\""), 2u);
  EXPECT_EQ(count(text, "class=\"edge weak\""), 1u);
  EXPECT_EQ(count(text, "class=\"bar\""), 2u) << "of those that take anything";
  EXPECT_THAT(text, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(text, testing::EndsWith("</svg>\n"));
  EXPECT_THAT(text, HasSubstr("prefers-color-scheme: dark"));
}

TEST(Svg, NeedsNothingElseAndEscapesAll) {
  Drawing hostile{.title = kHostile,
                  .notes = {kHostile},
                  .nodes = {{.name = kHostile, .note = kHostile, .told = {kHostile}}}};
  std::string text = as_svg(hostile);
  for (const char* what : {"<a ", "<script", " href=\"", "\x1b", "\xff", "url("})
    EXPECT_THAT(text, Not(HasSubstr(what)));
  EXPECT_THAT(text, HasSubstr("&lt;a "));
}

TEST(Svg, CutsLongNamesAndKeepsThemInTheTitle) {
  std::string name(300, 'n');
  std::string text = as_svg({.title = "t", .nodes = {{.name = name}}});
  EXPECT_THAT(text, HasSubstr("<title>" + name + "</title>"));
  EXPECT_THAT(text, HasSubstr("n…</text>"));
}

TEST(Svg, OfNothingIsStillAPicture) {
  EXPECT_THAT(as_svg({.title = "empty"}), HasSubstr(">empty</text>"));
}

TEST(LayeredLayout, NodesOfAColumnDoNotOverlap) {
  LayeredLayout layout = layered_layout(wide(10, 40));
  ASSERT_EQ(layout.columns.size(), 10u);
  for (const std::vector<std::size_t>& column : layout.columns) {
    EXPECT_EQ(column.size(), 40u);
    for (std::size_t i = 1; i < column.size(); ++i)
      EXPECT_GE(layout.rows[column[i]] - layout.rows[column[i - 1]], 1 - 1e-9);
  }
}

TEST(LayeredLayout, CrossingsThatNeedNotBeAreNot) {
  // a → z, b → y, c → x: given in the order x, y, z.
  Drawing crossed{
      .nodes = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "x"}, {.name = "y"}, {.name = "z"}},
      .edges = {{0, 5}, {1, 4}, {2, 3}}};
  LayeredLayout layout = layered_layout(crossed);
  EXPECT_NEAR(layout.rows[0], layout.rows[5], 1e-9);
  EXPECT_NEAR(layout.rows[1], layout.rows[4], 1e-9);
  EXPECT_NEAR(layout.rows[2], layout.rows[3], 1e-9);
}

TEST(LayeredLayout, WhatHasNoEdgesStandsBelow) {
  Drawing drawing = diamond();
  drawing.nodes.push_back({.name = "alone"});
  LayeredLayout layout = layered_layout(drawing);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_GT(layout.rows[4], layout.rows[i]);
}

TEST(LayeredLayout, ASourceStandsJustBeforeWhatFollowsIt) {
  Drawing drawing{.nodes = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "late"}},
                  .edges = {{0, 1}, {1, 2}, {3, 2}}};
  LayeredLayout layout = layered_layout(drawing);
  EXPECT_THAT(layout.columns[1], testing::UnorderedElementsAre(1u, 3u));
}

}  // namespace
}  // namespace stagemake
