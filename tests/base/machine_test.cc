#include "base/process/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text/text.h"

namespace stagemake {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Machine, OfManyFlagsThoseThatCompilersUse) {
  EXPECT_EQ(
      cpu_features_in("processor\t: 0\nflags\t\t: fpu vme sse2 pni ssse3 avx2 avx512f hypervisor md_clear\n"
                      "processor\t: 1\nflags\t\t: fpu\n"),
      "avx2 avx512f pni ssse3");
  EXPECT_EQ(cpu_features_in("Features\t: fp asimd sve\n"), "asimd fp sve") << "arm";
  EXPECT_EQ(cpu_features_in("nothing"), "");
  EXPECT_EQ(cpu_features_in(""), "");
}

TEST(Machine, ThisOneSaysWhatItIs) {
  EXPECT_FALSE(machine_architecture().empty());
  EXPECT_THAT(lacking_features(cpu_features(), cpu_features()), IsEmpty());
}

TEST(Machine, MissingFeaturesAreListed) {
  EXPECT_THAT(lacking_features("avx avx2 avx512f", "avx2 avx sse4_2"), ElementsAre("avx512f"));
  EXPECT_THAT(lacking_features("", ""), IsEmpty());
}

TEST(Machine, ItsMemory) {
  std::optional<MachineMemory> memory =
      machine_memory("MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 250 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total, 1000u * 1024);
  EXPECT_EQ(memory->available, 250u * 1024);
  for (const char* text : {"", "MemTotal: 0 kB\nMemAvailable: 0 kB\n", "MemTotal: 10 kB\n",
                           "MemTotal: 10 kB\nMemAvailable: 20 kB\n", "MemTotal: x kB\nMemAvailable: 2 kB\n"})
    EXPECT_FALSE(machine_memory(text)) << text;
  ASSERT_TRUE(machine_memory());
  EXPECT_GT(machine_memory()->available, 0u);
}

TEST(Durations, AsPeopleWriteThem) {
  EXPECT_EQ(duration_in("5h40m"), 20400);
  EXPECT_EQ(duration_in("90m"), 5400);
  EXPECT_EQ(duration_in("1d 2h"), 93600);
  EXPECT_EQ(duration_in("1.5 hours"), 5400);
  EXPECT_EQ(duration_in(" 45s "), 45);
  EXPECT_EQ(duration_in("1000000000000h"), kLongestDuration);
  EXPECT_EQ(duration_in("99999999d 99999999d"), kLongestDuration);
  for (const char* text : {"", " ", "5", "h", "-3s", "5 5s", "1e3s", "nan s", "5years", "5h-3m"})
    EXPECT_EQ(duration_in(text), std::nullopt) << text;
}

}  // namespace
}  // namespace stagemake
