#include "run/control/machine_watch.h"

#include <gmock/gmock.h>

#include <future>

namespace stagemake {
namespace {

TEST(ProcessorTimes, AreThoseOfAllProcessorsTogether) {
  std::optional<ProcessorTimes> times = processor_times("cpu  10 1 5 100 20 2 3 4 50 0\ncpu0 1 1 1 1\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(times->busy, 10u + 1 + 5 + 2 + 3 + 4) << "guests are counted in user";
  EXPECT_EQ(times->all, times->busy + 120);
  for (const char* text : {"", "cpu0 1 2 3 4", "cpu 1 2 x 4", "intr 1 2 3 4 5"})
    EXPECT_FALSE(processor_times(text));
}

TEST(MachineWatch, ReportsCompletedSamples) {
  std::promise<MachineSample> promise;
  std::atomic<bool> told = false;
  {
    MachineWatch watch([](MachineSample& sample) { sample.slots = 7; },
                       [&](const MachineSample& sample) {
                         if (!told.exchange(true)) promise.set_value(sample);
                       },
                       std::chrono::milliseconds(1));
    MachineSample sample = promise.get_future().get();
    EXPECT_EQ(sample.slots, 7u);
    EXPECT_GT(sample.memory, 0);
    EXPECT_LE(sample.busy, 1);
  }
}

}  // namespace
}  // namespace stagemake
