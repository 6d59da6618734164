#include "emit/manual/topics.h"

#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kMarkdown =
    "# Planning: what `tool plan` does\n"
    "See [the file](tool.toml.md) and [running](running.md) - it's .here.\n\n"
    "## Keys of `tool`\n"
    "    $ tool plan\n\n"
    ".dots begin it … \\x\n\n"
    "- an item\n- another\n\n"
    "| key | type | meaning |\n|---|---|---|\n| `name` | string | a name |\n| | list | more |\n\n"
    "| a | b |\n|---|---|\n| `x` | y |\n";

TEST(ManualTopic, IsAManualPage) {
  ManualTopic topic = manual_topic("tool", "planning", kMarkdown);
  EXPECT_EQ(topic.what, "what tool plan does");
  EXPECT_EQ(topic_page(topic, "tool", "1.0"),
            ".TH TOOL\\-PLANNING 7 \"\" \"tool 1.0\"\n.nh\n.ad l\n.SH NAME\ntool\\-planning \\- what tool "
            "plan does\n"
            ".SH DESCRIPTION\n"
            "See the file (\\fBtool.toml\\fR(5)) and \\fBtool\\-running\\fR(7) \\- it\\(aqs .here.\n"
            ".SH KEYS OF tool\n"
            ".RS 4\n.nf\n$ tool plan\n.fi\n.RE\n"
            ".PP\n\\&.dots begin it \\[u2026] \\ex\n"
            ".IP \\(bu 2\nan item\n.IP \\(bu 2\nanother\n"
            ".TP\n\\fBname\\fR\ntype: string\n.br\nmeaning: a name\n"
            ".TP\nlist\nmeaning: more\n"
            ".TP\n\\fBx\\fR\ny\n"
            ".SH SEE ALSO\n\\fBtool\\fR(1),\n\\fBtool.toml\\fR(5),\n\\fBtool\\-running\\fR(7)\n");
}

TEST(ManualTopic, IsAText) {
  ManualTopic topic = manual_topic("tool", "planning", kMarkdown);
  EXPECT_EQ(topic_text(topic, "tool"),
            "Planning: what `tool plan` does\n\n"
            "    See the file (`tool help tool.toml`) and running (`tool help running`) -\n"
            "    it's .here.\n\n"
            "Keys of tool\n\n"
            "        $ tool plan\n\n"
            "    .dots begin it … \\x\n\n"
            "    - an item\n    - another\n\n"
            "    name\n        type: string\n        meaning: a name\n"
            "    list\n        meaning: more\n\n"
            "    x\n        y\n");
}

TEST(ManualTopic, OfAFileIsInSectionFive) {
  ManualTopic topic = manual_topic("tool", "tool.toml", "# tool.toml: the stages\n\ntext\n");
  EXPECT_EQ(topic.page, "tool.toml");
  EXPECT_EQ(topic.section, 5);
  EXPECT_EQ(topic.what, "the stages");
  EXPECT_EQ(manual_topic("tool", "x", "# Deadlines and crashes").what, "deadlines and crashes");
}

TEST(ManualTopic, CodeBecomesNarrowAndCanStillBeCopied) {
  auto narrow = [](const std::vector<std::string>& lines) { return narrow_code(lines, 20); };
  EXPECT_THAT(narrow({"short = 1  # one"}), ElementsAre("short = 1  # one"));
  EXPECT_THAT(narrow({"a = 1    # one", "  b = 2  # this is too long for it", "", "c"}),
              ElementsAre("# one", "a = 1", "  # this is too long", "  # for it", "  b = 2", "", "c"));
  EXPECT_THAT(narrow({"$ tool build --all --packages minimal --option x"}),
              ElementsAre("$ tool build --all \\", "    --packages \\", "    minimal \\", "    --option x"));
  EXPECT_THAT(narrow({"  an output line that is long and longer"}),
              ElementsAre("  an output line", "      that is long", "      and longer"));
  EXPECT_THAT(narrow({"            changed: build/pkgs/xx"}),
              ElementsAre("            changed:", "       build/pkgs/xx"));
  EXPECT_THAT(narrow({"one-long-word-without-any-blank"}), ElementsAre("one-long-word-without-any-blank"));
}

}  // namespace
}  // namespace stagemake
