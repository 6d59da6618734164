// A drawing as lines of text, and for dot.
#include "emit/drawing.h"

#include <gmock/gmock.h>

#include "base/files/files.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "emit/dot.h"

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

TEST(Dot, IsReadByGraphvizWhateverTheNames) {
  if (find_program("dot").empty()) GTEST_SKIP() << "Graphviz is not installed";
  Drawing hostile = diamond();
  hostile.title = kHostile;
  hostile.notes = {kHostile};
  for (DrawnNode& node : hostile.nodes) node.name = node.note = kHostile, node.told = {kHostile, "]; evil"};
  TemporaryFolder folder(fs::temp_directory_path());
  write_file(folder.path() / "drawing.dot", as_dot(hostile));
  Finished drawn = run_command({.argv = {"dot", "-Tsvg", (folder.path() / "drawing.dot").string()}});
  EXPECT_TRUE(drawn.ok());
  EXPECT_EQ(drawn.errors, "");
  for (const char* what : {"<a href", "<script", "\x1b", "\xff"})
    EXPECT_THAT(drawn.output, Not(HasSubstr(what)));
  std::size_t nodes = 0;
  for (std::string_view line : lines(std::string_view(drawn.output)))
    nodes += line.find("class=\"node\"") != std::string_view::npos ? 1 : 0;
  EXPECT_EQ(nodes, 4u);
}

}  // namespace
}  // namespace stagemake
