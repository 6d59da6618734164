#include "report/html/html_part.h"

#include <ctemplate/template.h>
#include <gmock/gmock.h>

#include <cstring>
#include <functional>
#include <memory>

#include "report/html/html_excerpt.h"
#include "report/html/html_template.h"

namespace stagemake {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A template with one place, filled in.
std::string filled(std::string_view text, const std::function<void(HtmlPart)>& fill) {
  std::string all = "{{%AUTOESCAPE context=\"HTML\"}}" + std::string(text), result;
  std::unique_ptr<ctemplate::Template> one(
      ctemplate::Template::StringToTemplate(all, ctemplate::DO_NOT_STRIP));
  ctemplate::TemplateDictionary values("test");
  fill(HtmlPart(values));
  EXPECT_TRUE(one->Expand(&result, &values));
  return result;
}

std::string shown_in_page(std::string_view text, std::size_t most = kWhole) {
  return filled("{{X}}", [&](HtmlPart part) { part.set({{"X", text, most}}); });
}

TEST(HtmlPart, TextIsEscapedCutAndMadePrintable) {
  EXPECT_EQ(shown_in_page("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(shown_in_page("\x1b[0m\xff"), "\\x1b[0m\\xff");
  EXPECT_EQ(shown_in_page("a\u202eb\u2066c\u200e€"), "a\\u202eb\\u2066c\\u200e€")
      << "nor can text turn around what follows";
  EXPECT_EQ(shown_in_page("abc", 3), "abc");
  EXPECT_EQ(shown_in_page("abcd", 3), "abc…");
  EXPECT_EQ(shown_in_page("ab€d", 3), "ab…") << "no character is cut in two";
  EXPECT_EQ(shown_in_page("<<<<", 2), "&lt;&lt;…") << "nor an entity";
}

TEST(HtmlPart, ShowsASectionUnlessItsTextIsEmptyOrItsNumberZero) {
  auto with = [](HtmlValue value) {
    return filled("{{#X}}({{X}}){{/X}}", [&](HtmlPart part) { part.set({value}); });
  };
  EXPECT_EQ(with({"X", "a"}), "(a)");
  EXPECT_EQ(with({"X", ""}), "");
  EXPECT_EQ(with({"X", std::size_t{7}}), "(7)");
  EXPECT_EQ(with({"X", std::size_t{0}}), "");
  EXPECT_EQ(with({"X", false}), "");
}

// ctemplate reports faults of templates on standard error.
TEST(HtmlTemplate, HasNoFaults) {
  testing::internal::CaptureStderr();
  ctemplate::TemplateCache cache;
  for (const HtmlFile& file : html_files())
    if (file.name.ends_with(".html")) {
      EXPECT_THAT(std::string(file.text), StartsWith("{{%AUTOESCAPE context=\"HTML\"}}\n")) << file.name;
      EXPECT_TRUE(cache.StringToTemplateCache(std::string(file.name), std::string(file.text),
                                              ctemplate::STRIP_BLANK_LINES));
    }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Only the style sheet, which is no text of a run, enters the page as it is.
TEST(HtmlTemplate, LeavesNothingButTheStyleUnescaped) {
  for (const HtmlFile& file : html_files()) {
    std::string text(file.text);
    std::size_t style = text.find("{{STYLE:none}}");
    if (style != std::string::npos) text.erase(style, std::strlen("{{STYLE:none}}"));
    EXPECT_THAT(text, Not(HasSubstr(":none}}"))) << file.name;
  }
}

TEST(Space, ExcerptsUseItUp) {
  LogFinding finding{.message = "b", .excerpt = {"a", "b", "<"}};
  Space space(32);
  auto excerpt = [&](const LogFinding& one) {
    return filled(
        "{{#EXCERPT}}{{#LOG_LINE}}{{TEXT:pre_escape}}{{#MESSAGE_LINE}}<b>{{MESSAGE_LINE:pre_escape}}</b>"
        "{{/MESSAGE_LINE}}\n{{/LOG_LINE}}{{/EXCERPT}}",
        [&](HtmlPart part) { show_excerpt(part, one, space); });
  };
  EXPECT_EQ(excerpt({}), "");
  EXPECT_EQ(excerpt(finding), "a\n<b>b</b>\n&lt;\n");
  EXPECT_EQ(excerpt(finding), "a\n<b>b</b>\n&lt;\n");
  EXPECT_EQ(excerpt(finding), "") << "16 bytes each";
  EXPECT_FALSE(space.take(1));
  EXPECT_TRUE(Space(1).take(1));
}

}  // namespace
}  // namespace stagemake
