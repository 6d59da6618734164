#include "base/text/wrap.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(Wrapped, FillsLinesAndIndentsWhatFollows) {
  EXPECT_EQ(wrapped("name  ", {"aa", "bb", "cc"}, 11), "name  aa bb\n      cc\n");
  EXPECT_EQ(wrapped("", {"aa", "bb"}, 5), "aa bb\n");
  EXPECT_EQ(wrapped("", {"aa", "bb"}, 4), "aa\nbb\n");
}

TEST(Wrapped, ALongWordStandsAlone) {
  EXPECT_EQ(wrapped("- ", {"a", "longer-than-all", "b"}, 6), "- a\n  longer-than-all\n  b\n");
}

TEST(Wrapped, NoWordsAreTheBeginningAlone) {
  EXPECT_EQ(wrapped("x", {}), "x\n");
  EXPECT_EQ(wrapped("", {}), "\n");
}

TEST(Wrapped, CountsCodePointsAndNotBytes) {
  EXPECT_EQ(columns("→ä"), 2u);
  EXPECT_EQ(wrapped("", {"→→", "ää"}, 5), "→→ ää\n");
}

TEST(WrappedList, PutsTheSeparatorBehindAllButTheLast) {
  EXPECT_EQ(wrapped_list("of ", {"a", "b", "c"}), "of a, b, c\n");
  EXPECT_EQ(wrapped_list("of ", {}), "of \n");
}

}  // namespace
}  // namespace stagemake
