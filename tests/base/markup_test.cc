#include "base/text/markup.h"

#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(MarkupText, IsEscaped) {
  EXPECT_EQ(as_markup_text("a<b>&\"'é\x1b\xff"), "a&lt;b&gt;&amp;&quot;&#39;é\\x1b\\xff");
  EXPECT_EQ(as_markup_text("&amp;"), "&amp;amp;") << "what is escaped already is text, too";
  EXPECT_EQ(as_markup_text(""), "");
}

}  // namespace
}  // namespace stagemake
