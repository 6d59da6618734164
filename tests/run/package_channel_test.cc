#include "run/container/package_channel.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The reports found in pieces of output, and the rest of the output.
struct Heard {
  std::vector<std::string> news;
  std::string text;
  std::uint64_t dropped = 0;
};
Heard hear(const std::vector<std::string>& pieces) {
  Heard heard;
  PackageChannel channel(
      "n1", [](const std::string& name) { return name != "unknown"; },
      [&](const PackageStatus& package) {
        heard.news.push_back(fmt::format("{} {}", package.name, word(package.state)));
      });
  for (const std::string& piece : pieces) heard.text += channel.take(piece);
  heard.text += channel.rest();
  heard.dropped = channel.dropped();
  return heard;
}

TEST(PackageChannel, RemovesTheGuardsLines) {
  Heard heard = hear({"one\n\x1epackage n1 begun gmp\nchecking for x... \x1epackage n1 built gmp\nyes\n"});
  EXPECT_THAT(heard.news, ElementsAre("gmp building", "gmp built"));
  EXPECT_EQ(heard.text, "one\nchecking for x... yes\n");
}

TEST(PackageChannel, AlsoWhereItComesByteByByte) {
  std::string all =
      "a\x1epackage n1 begun sagemath_standard\nb\x1e\x1epackage n1 refused r\n\x1epackage n1 begun x+y.z\n"
      "\x1epackage n1 failed x+y.z\n";
  std::vector<std::string> bytes;
  for (char byte : all) bytes.emplace_back(1, byte);
  Heard heard = hear(bytes);
  EXPECT_THAT(heard.news,
              ElementsAre("sagemath_standard building", "r not begun", "x+y.z building", "x+y.z failed"));
  EXPECT_EQ(heard.text, "ab\x1e");
}

TEST(PackageChannel, SimilarLinesStay) {
  for (const char* text :
       {"\x1e", "\x1epackage", "\x1epackage begun gmp\n", "\x1epackage n2 begun gmp\n",
        "\x1epackage n1 begun\n", "\x1epackage n1 begun a b\n", "\x1epackage n1 ended gmp\n",
        "\x1epackage n1 begun \x1b[31m\n", "\x1e other begun gmp\n"}) {
    Heard heard = hear({text});
    EXPECT_THAT(heard.news, IsEmpty()) << text;
    EXPECT_EQ(heard.text, text);
  }
  std::string lengthy = "\x1epackage n1 begun " + std::string(1000, 'x') + "\n";
  EXPECT_EQ(hear({lengthy}).text, lengthy);
  EXPECT_EQ(hear({lengthy.substr(0, 500)}).text, lengthy.substr(0, 500));
}

TEST(PackageChannel, APackageThatGoesThroughTheGuardTwiceBeginsAndEndsOnce) {
  Heard heard =
      hear({"\x1epackage n1 begun xz\n\x1epackage n1 begun xz\n\x1epackage n1 built xz\n\x1epackage n1 "
            "failed xz\n",
            "\x1epackage n1 begun xz\n\x1epackage n1 built xz\n"});
  EXPECT_THAT(heard.news, ElementsAre("xz building", "xz failed", "xz building", "xz built"));
}

TEST(PackageChannel, ImpossibleLinesAreDroppedAndCounted) {
  Heard heard =
      hear({"\x1epackage n1 begun unknown\n\x1epackage n1 built xz\n\x1epackage n1 failed xz\n"
            "\x1epackage n1 begun gmp\n\x1epackage n1 begun gmp\n\x1epackage n1 begun gmp\n"});
  EXPECT_THAT(heard.news, ElementsAre("gmp building"));
  EXPECT_EQ(heard.text, "");
  EXPECT_EQ(heard.dropped, 4u);
}

TEST(PackageChannel, RefusalsOfTheInnerGuardFailOutside) {
  Heard heard = hear({"\x1epackage n1 begun xz\n\x1epackage n1 refused xz\n\x1epackage n1 failed xz\n"});
  EXPECT_THAT(heard.news, ElementsAre("xz building", "xz not begun"));
  EXPECT_EQ(heard.dropped, 0u);
}

// With a list of targets, each is a separate make, and each makes the packages that have no installation
// record.
TEST(PackageChannel, APackageMayBeginOncePerTarget) {
  std::size_t told = 0;
  PackageChannel channel(
      "n1", [](const std::string&) { return true; }, [&](const PackageStatus&) { ++told; }, 100);
  for (int i = 0; i < 100; ++i) channel.take("\x1epackage n1 begun sagelib\n\x1epackage n1 built sagelib\n");
  EXPECT_EQ(told, 200u);
  EXPECT_EQ(channel.dropped_text(), "");
}

// What a build can print in a second or two. A former version remembered and showed each of 1.5 million
// invented packages, and the display searched all of them for each: it took minutes.
TEST(PackageChannel, AFloodOfForgedLinesCostsLittle) {
  std::size_t told = 0;
  PackageChannel channel(
      "n1", [](const std::string& name) { return name == "gmp" || name == "xz"; },
      [&](const PackageStatus&) { ++told; });
  constexpr unsigned kLines = 1'500'000;
  for (unsigned i = 0; i < kLines; ++i) {
    std::string line = i % 3 == 0   ? fmt::format("\x1epackage n1 begun invented{}\n", i)
                       : i % 3 == 1 ? std::string("\x1epackage n1 begun gmp\n")
                                    : std::string("\x1epackage n1 built gmp\n");
    EXPECT_EQ(channel.take(line), "");
  }
  EXPECT_LE(told, 2 * PackageChannel::kMostTimes);
  EXPECT_EQ(channel.dropped(), kLines - 2 * PackageChannel::kMostTimes);
  EXPECT_THAT(channel.dropped_text(), testing::HasSubstr("1499968 lines"));
}

// Markers and beginnings of report lines without an end: nothing is held back for long.
TEST(PackageChannel, AnEndlessLinePassesAsItComes) {
  PackageChannel channel(
      "n1", [](const std::string&) { return true; }, [](const PackageStatus&) {});
  for (std::string_view unit : {"\x1e", "\x1epackage n1 begun ", "x"}) {
    constexpr std::size_t kBytes = 6'000'000, kPiece = 16384;
    std::string piece;
    while (piece.size() < kPiece) piece += unit;
    std::size_t in = 0, out = 0;
    for (; in < kBytes; in += piece.size()) {
      out += channel.take(piece).size();
      ASSERT_LE(in + piece.size() - out, 256u) << "held back";
    }
    out += channel.rest().size();
    EXPECT_EQ(out, in);
  }
}

}  // namespace
}  // namespace stagemake
