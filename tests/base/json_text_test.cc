// JSON from elsewhere: what is read, and what is refused before it is parsed.
#include "base/text/json_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/deep_json.h"

namespace stagemake {
namespace {

using nlohmann::json;

std::string refusal(std::string_view text, std::size_t most = 8u << 20) {
  std::string why;
  std::optional<json> value = json_in(text, most, &why);
  EXPECT_NE(value.has_value(), !why.empty());
  return why;
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonText, IsReadAsItStands) {
  EXPECT_EQ(json_in(R"( {"a": [1, "x", null]} )", 100), json({{"a", {1, "x", nullptr}}}));
  EXPECT_EQ(json_in("null", 4), json(nullptr));
  for (const char* text : {"", " ", "[", "{\"a\"}", "[1,]", "\"", "\"\\\"", "\xff", "]", "[]]", "// a\n1"})
    EXPECT_EQ(refusal(text), "is not JSON") << text;
}

TEST(JsonText, ItsSizeIsBounded) {
  EXPECT_EQ(refusal("[1,2]", 5), "");
  EXPECT_EQ(refusal("[1,2]", 4), "is longer than 4 B");
}

TEST(JsonText, ItsDepthIsBounded) {
  EXPECT_EQ(refusal(nested(kDeepestJson)), "");
  EXPECT_EQ(refusal(nested(kDeepestJson + 1)), "has more than 64 lists and objects within each other");
  for (const std::string& text : test::deep_json())
    EXPECT_THAT(refusal(text), testing::HasSubstr("within each other"));
  std::string flat = "[" + test::many(100'000, "[{}],") + "[]]";
  EXPECT_EQ(refusal(flat), "") << "what is closed again is not deep";
}

TEST(JsonText, BracketsInStringsDoNotNest) {
  std::string open(1000, '[');
  EXPECT_EQ(json_in("\"" + open + "\"", 2000), json(open));
  EXPECT_EQ(refusal("[\"\\\"" + open + "\", \"\\\\\", {\"{{" + open + "\": 1}]"), "");
  EXPECT_NE(refusal("[\"\\\\\"," + open + "]"), "") << "a backslash may be the last in a string";
  EXPECT_NE(refusal("\"a\"" + open), "");
}

std::size_t depth(const json& value) {
  std::size_t deepest = 0;
  for (const json& part : value) deepest = std::max(deepest, value.is_structured() ? depth(part) : 0);
  return deepest + (value.is_structured() ? 1 : 0);
}

// Any text is refused if the parser refuses it or if its parsed value is too deep.
TEST(JsonText, IsRefusedForTheRightReasons) {
  std::minstd_rand random(7);
  const char* parts[] = {"[", "[", "{\"a\":", "]", "]", "}", ",", "1", "\"[[\"", "\"\\\"", "\"", "\\", " "};
  for (int round = 0; round < 3000; ++round) {
    std::string text = nested(round % 2 == 0 ? 0 : kDeepestJson - 2);
    std::string more;
    for (unsigned i = 0; i < random() % 10; ++i) more += parts[random() % std::size(parts)];
    text.insert(text.size() / 2, more);
    json whole = json::parse(text, nullptr, false);
    bool is_good = !whole.is_discarded() && depth(whole) <= kDeepestJson;
    ASSERT_EQ(json_in(text, text.size()).has_value(), is_good) << text;
  }
}

}  // namespace
}  // namespace stagemake
