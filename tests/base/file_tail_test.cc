#include "base/files/file_tail.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace stagemake {
namespace {

TEST(FileTail, BeginsWithALine) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "log";
  EXPECT_FALSE(read_tail(file, 10));
  write_file(file, "one\ntwo\nthree\nfour");
  auto tail = [&](std::size_t limit) {
    FileTail found = read_tail(file, limit).value();
    return found.text + "|" + std::to_string(found.skipped_bytes) + "|" + std::to_string(found.skipped_lines);
  };
  EXPECT_EQ(tail(100), "one\ntwo\nthree\nfour|0|0");
  EXPECT_EQ(tail(18), "one\ntwo\nthree\nfour|0|0");
  EXPECT_EQ(tail(17), "two\nthree\nfour|4|1");
  EXPECT_EQ(tail(14), "two\nthree\nfour|4|1");
  EXPECT_EQ(tail(13), "three\nfour|8|2");
  EXPECT_EQ(tail(9), "four|14|3");
  EXPECT_EQ(tail(3), "|18|3") << "its last line is longer";
  EXPECT_THROW(read_tail(folder.path(), 10), Error);
}

TEST(FileTail, OfALargeFileTheEndAlone) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "log";
  write_file(file, "");
  fs::resize_file(file, 40u << 20);  // sparse
  append_line(file, "\nlast");
  FileTail tail = read_tail(file, 100).value();
  EXPECT_EQ(tail.text, "last\n");
  EXPECT_EQ(tail.skipped_lines, 1u);
  EXPECT_EQ(tail.skipped_bytes, (40u << 20) + 1);
}

// A build may print anything; each line of its log takes only a bounded amount of memory.
TEST(FileTail, OfALongLineBothEnds) {
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path file = folder.path() / "log";
  std::string most = std::string(kLongestTailLine - 5, 'x') + "y end";  // all of it
  write_file(file, "first\n" + most + "\nlast\n");
  EXPECT_TRUE(read_tail(file, 1u << 20)->text == "first\n" + most + "\nlast\n");

  write_file(file, "first\n" + std::string(3u << 20, 'x') + "y end\nlast\n");
  FileTail tail = read_tail(file, 1u << 30).value();
  EXPECT_LT(tail.text.size(), kLongestTailLine + 20);
  EXPECT_LT(tail.text.capacity(), 4 * kLongestTailLine);
  EXPECT_TRUE(tail.text.starts_with("first\nxxx"));
  EXPECT_TRUE(tail.text.ends_with("xxxy end\nlast\n"));
  EXPECT_NE(tail.text.find("xx … xx"), std::string::npos);
  EXPECT_EQ(tail.skipped_bytes, 0u);

  write_file(file, std::string(3u << 20, 'x'));
  EXPECT_LT(read_tail(file, 1u << 30)->text.size(), kLongestTailLine + 20) << "a line without an end";
}

}  // namespace
}  // namespace stagemake
