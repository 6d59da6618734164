// Measures how busy the machine is during a run, for display. Linux only (/proc); reports nothing elsewhere.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "report/events/event.h"

namespace stagemake {

class MachineWatch {
 public:
  // `complete` adds what only the run knows to a sample. Both are called from the watch's own thread.
  MachineWatch(std::function<void(MachineSample&)> complete, std::function<void(const MachineSample&)> tell,
               std::chrono::milliseconds between = std::chrono::seconds(2));

 private:
  std::jthread thread_;
};

// From the first line of /proc/stat: busy and total time since boot, in the kernel's ticks; nothing if the
// line has another form.
struct ProcessorTimes {
  unsigned long long busy = 0, all = 0;
};
std::optional<ProcessorTimes> processor_times(std::string_view stat);

}  // namespace stagemake
