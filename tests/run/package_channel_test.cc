#include "run/package_channel.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What is heard, and what is left of the output, of pieces.
struct Heard {
  std::vector<std::string> news;
  std::string text;
};
Heard hear(const std::vector<std::string>& pieces) {
  Heard heard;
  PackageChannel channel([&](const PackageStatus& package) {
    heard.news.push_back(fmt::format("{} {}", package.name, word(package.state)));
  });
  for (const std::string& piece : pieces) heard.text += channel.take(piece);
  heard.text += channel.rest();
  return heard;
}

TEST(PackageChannel, TakesOutWhatTheGuardTells) {
  Heard heard = hear({"one\n\x1epackage begun gmp\nchecking for x... \x1epackage built gmp\nyes\n"});
  EXPECT_THAT(heard.news, ElementsAre("gmp building", "gmp built"));
  EXPECT_EQ(heard.text, "one\nchecking for x... yes\n");
}

TEST(PackageChannel, AlsoWhereItComesByteByByte) {
  std::string all =
      "a\x1epackage begun sagemath_standard\nb\x1e\x1epackage refused r\n\x1epackage failed x+y.z\n";
  std::vector<std::string> bytes;
  for (char byte : all) bytes.emplace_back(1, byte);
  Heard heard = hear(bytes);
  EXPECT_THAT(heard.news, ElementsAre("sagemath_standard building", "r not begun", "x+y.z failed"));
  EXPECT_EQ(heard.text, "ab\x1e");
}

TEST(PackageChannel, WhatOnlyLooksLikeItStays) {
  for (const char* text :
       {"\x1e", "\x1epackage", "\x1epackage begun\n", "\x1epackage begun a b\n", "\x1epackage ended gmp\n",
        "\x1epackage begun \x1b[31m\n", "\x1e other begun gmp\n"}) {
    Heard heard = hear({text});
    EXPECT_THAT(heard.news, IsEmpty()) << text;
    EXPECT_EQ(heard.text, text);
  }
  std::string lengthy = "\x1epackage begun " + std::string(1000, 'x') + "\n";
  EXPECT_EQ(hear({lengthy}).text, lengthy);
  EXPECT_EQ(hear({lengthy.substr(0, 500)}).text, lengthy.substr(0, 500));
}

TEST(PackageChannel, APackageThatGoesThroughTheGuardTwiceBeginsAndEndsOnce) {
  Heard heard =
      hear({"\x1epackage begun xz\n\x1epackage begun xz\n\x1epackage built xz\n\x1epackage failed xz\n",
            "\x1epackage begun xz\n\x1epackage built xz\n"});
  EXPECT_THAT(heard.news, ElementsAre("xz building", "xz failed", "xz building", "xz built"));
}

}  // namespace
}  // namespace stagemake
