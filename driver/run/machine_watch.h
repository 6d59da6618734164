// How busy the machine is while a run goes on, for a display of it. Linux alone (/proc); elsewhere nothing
// is told.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "report/event.h"

namespace stagemake {

class MachineWatch {
 public:
  // `complete` adds to a sample what only the run knows. Both are called from a thread of the watch's own.
  MachineWatch(std::function<void(MachineSample&)> complete, std::function<void(const MachineSample&)> tell,
               std::chrono::milliseconds between = std::chrono::seconds(2));

 private:
  std::jthread thread_;
};

// Of /proc/stat's first line: busy and all time since the start, in the kernel's ticks; nothing where it is
// not that.
struct ProcessorTimes {
  unsigned long long busy = 0, all = 0;
};
std::optional<ProcessorTimes> processor_times(std::string_view stat);

}  // namespace stagemake
