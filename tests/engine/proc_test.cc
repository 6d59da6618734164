#include "engine/proc.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace stagemake {
namespace {

TEST(HeldMemory, IsWhatNoFileHolds) {
  EXPECT_EQ(held_memory("Name:\tsh\nVmRSS:\t  900 kB\nRssAnon:\t     100 kB\nRssFile:\t     700 kB\n"
                        "RssShmem:\t      20 kB\nVmSwap:\t       3 kB\nThreads:\t1\n"),
            123u * 1024);
}

TEST(HeldMemory, InvalidStatusTextHasNoMemory) {
  EXPECT_EQ(held_memory(""), 0u) << "it has ended";
  EXPECT_EQ(held_memory("Name:\tkthreadd\nThreads:\t1\n"), 0u) << "the kernel's own";
  EXPECT_EQ(held_memory("RssAnon:\nRssAnon: x kB\nRssAnon: 12\nRssAnon: 99999999999999999999999 kB\n"), 0u);
}

TEST(Processes, OfThisMachineAreSeen) {
  std::set<pid_t> seen;
  for_each_process([&](pid_t process) { seen.insert(process); });
  EXPECT_TRUE(seen.contains(::getpid()));
  EXPECT_FALSE(seen.contains(0));
  EXPECT_GT(held_memory(proc_file(::getpid(), "status")), 0u);
  EXPECT_EQ(proc_file(::getpid(), "no-such-file"), "");
  EXPECT_FALSE(mount_namespace_of(::getpid()).empty());
}

}  // namespace
}  // namespace stagemake
