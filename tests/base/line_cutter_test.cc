#include "base/text/line_cutter.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(LineCutter& cutter, const std::vector<std::string>& pieces) {
  std::vector<std::string> heard;
  LineCutter::Heard take = [&](std::string_view line) { heard.emplace_back(line); };
  for (const std::string& piece : pieces) cutter.take(piece, take);
  cutter.rest(take);
  return heard;
}

TEST(LineCutter, JoinsPieces) {
  LineCutter cutter;
  EXPECT_THAT(lines_of(cutter, {"a", "b\nc\r", "\n\n", "d"}), ElementsAre("ab", "c", "", "d"));
  EXPECT_THAT(lines_of(cutter, {}), IsEmpty());
}

TEST(LineCutter, TakesTheLastStateOfALine) {
  LineCutter cutter;
  EXPECT_THAT(lines_of(cutter, {"1 %\r50", " %\r", "100 %\r\n", "x\ry"}), ElementsAre("100 %", "y"));
  EXPECT_THAT(lines_of(cutter, {"a\r\r\n"}), ElementsAre("a"));
}

TEST(LineCutter, MemoryIsBounded) {
  LineCutter cutter(8);
  EXPECT_THAT(
      lines_of(cutter, {"12345678\n", "123456789\n", "1234", "5678", "9abc", "\n"}),
      ElementsAre("12345678", "12345678… (1 B more of this line)", "12345678… (4 B more of this line)"));
  EXPECT_THAT(lines_of(cutter, {"a much longer state\rshort\n"}), ElementsAre("short"));
  EXPECT_THAT(lines_of(cutter, {"1234567\xe2\x82\xac\n"}), ElementsAre("1234567… (3 B more of this line)"))
      << "not within a character";
  EXPECT_THAT(lines_of(cutter, {std::string(20, '\x80') + "\n"}),
              ElementsAre(std::string(5, '\x80') + "… (15 B more of this line)"));

  LineCutter whole;
  std::size_t most = 0;
  std::vector<std::string> heard;
  std::string piece(1u << 20, 'x');
  for (int i = 0; i < 60; ++i) {
    whole.take(piece, [&](std::string_view line) { heard.emplace_back(line); });
    most = std::max(most, whole.held());
  }
  EXPECT_EQ(most, LineCutter::kMost);
  EXPECT_THAT(heard, IsEmpty());
  whole.rest([&](std::string_view line) { heard.emplace_back(line); });
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_TRUE(heard[0].ends_with("x… (62.8 MB more of this line)")) << heard[0].substr(65000);
  EXPECT_EQ(whole.held(), 0u);
}

}  // namespace
}  // namespace stagemake
