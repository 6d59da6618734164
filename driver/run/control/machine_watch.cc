#include "run/control/machine_watch.h"

#include <charconv>
#include <mutex>

#include "base/error.h"
#include "base/files/files.h"
#include "base/process/machine.h"
#include "base/process/sleep.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

std::optional<unsigned long long> number(std::string_view word) {
  unsigned long long value = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() ? std::optional(value) : std::nullopt;
}

std::string content(const char* file) {
  try {
    return read_file(file).value_or("");
  } catch (...) {
    return {};
  }
}

}  // namespace

std::optional<ProcessorTimes> processor_times(std::string_view stat) {
  std::vector<std::string_view> fields = words(stat.substr(0, stat.find('\n')));
  // cpu user nice system idle iowait irq softirq steal …; guest time is part of user.
  if (fields.size() < 5 || fields[0] != "cpu") return std::nullopt;
  ProcessorTimes times;
  for (std::size_t i = 1; i < fields.size() && i <= 8; ++i) {
    std::optional<unsigned long long> ticks = number(fields[i]);
    if (!ticks) return std::nullopt;
    times.all += *ticks;
    if (i != 4 && i != 5) times.busy += *ticks;
  }
  return times;
}

MachineWatch::MachineWatch(std::function<void(MachineSample&)> complete,
                           std::function<void(const MachineSample&)> tell, std::chrono::milliseconds between)
    : thread_([complete = std::move(complete), tell = std::move(tell), between](const std::stop_token& stop) {
        std::optional<ProcessorTimes> before = processor_times(content("/proc/stat"));
        while (sleep_for(between, stop)) {
          std::optional<ProcessorTimes> now = processor_times(content("/proc/stat"));
          std::optional<MachineMemory> memory;
          try {
            memory = machine_memory();
          } catch (...) {
          }
          if (!before || !now || !memory) return;
          MachineSample sample{.memory = 1 - static_cast<double>(memory->available) /
                                                 static_cast<double>(memory->total)};
          if (now->all > before->all && now->busy >= before->busy)
            sample.busy =
                static_cast<double>(now->busy - before->busy) / static_cast<double>(now->all - before->all);
          before = now;
          try {
            complete(sample);
            tell(sample);
          } catch (...) {  // a failed sample is skipped
          }
        }
      }) {}

}  // namespace stagemake
