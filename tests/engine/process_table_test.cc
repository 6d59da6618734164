#include "engine/process_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stagemake {
namespace {

TEST(ProcessTable, ReadsWhatDockerPrints) {
  std::vector<ContainerProcess> table = process_table(
      "PID                 PPID                TIME                COMMAND\n"
      "4242                4200                0                   /bin/sh\n"
      "4300                4242                12                  sh -c make  -j 2; true\n");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table[0].pid, 4242);
  EXPECT_EQ(table[0].parent, 4200);
  EXPECT_EQ(table[0].cpu_seconds, 0);
  EXPECT_EQ(table[0].command, "/bin/sh");
  EXPECT_EQ(table[1].cpu_seconds, 12);
  EXPECT_EQ(table[1].command, "sh -c make  -j 2; true");
}

TEST(ProcessTable, ReadsWhatPodmanPrints) {
  std::vector<ContainerProcess> table = process_table(
      "PID         PPID        TIME          COMMAND\n1           0           1m2.5s        /bin/sh\n");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0].cpu_seconds, 62.5);
}

TEST(ProcessTable, TimesOfAllKinds) {
  EXPECT_EQ(processor_seconds("12"), 12);
  EXPECT_EQ(processor_seconds("0s"), 0);
  EXPECT_EQ(processor_seconds("1h2m3.5s"), 3723.5);
  EXPECT_EQ(processor_seconds("250ms"), 0.25);
  EXPECT_EQ(processor_seconds("-"), 0);
  EXPECT_EQ(processor_seconds(""), 0);
}

TEST(ProcessTable, LinesWithoutProcessesAreSkipped) {
  for (const char* text : {"", "\n\n", "PID", "x 1 2 y", "1", "1 y 0 z", "Error: no such\n"})
    EXPECT_TRUE(process_table(text).empty()) << text;
  EXPECT_EQ(process_table("1 0").at(0).command, "");
}

TEST(ProcessTable, CommandsAreShortAndPrintable) {
  EXPECT_EQ(command_text(" a\x1b[31m b\n"), "a\\x1b[31m b");
  EXPECT_LE(command_text(std::string(1000, '\x1b')).size(), 200u);
  std::string text = command_text("x" + std::string(50, '\x01') + std::string(1000, 'y'));
  EXPECT_LE(text.size(), 200u);
  std::string umlauts;
  for (int i = 0; i < 300; ++i) umlauts += "ü";
  EXPECT_LE(command_text("a" + umlauts).size(), 200u);
}

// Command lines of running processes appear in logs and notes.
TEST(ProcessTable, ShowsNoSecrets) {
  EXPECT_EQ(command_text("./configure --with-url=https://user:s3cret@host TOKEN=s3cret x"),
            "./configure --with-url=https://…@host TOKEN=… x");
  std::string cut =
      command_text(std::string(180, 'x') + " https://user:s3cret" + std::string(300, 't') + "@host");
  EXPECT_EQ(cut.find("s3cret"), cut.npos) << "though its end is cut off: " << cut;
}

}  // namespace
}  // namespace stagemake
