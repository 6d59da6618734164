#include "base/file_tail.h"

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

}  // namespace
}  // namespace stagemake
