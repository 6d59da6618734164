#include "run/control/stall_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

namespace stagemake {
namespace {

// The share of a silence that processes may spend computing and still count as idle: a process that waits for
// a lock or a connection wakes up from time to time.
constexpr double kIdlePart = 0.01;

double cpu_of(const std::vector<ContainerProcess>& processes) {
  double sum = 0;
  for (const ContainerProcess& process : processes) sum += process.cpu_seconds;
  return sum;
}

}  // namespace

std::string process_tree(const std::vector<ContainerProcess>& processes) {
  std::map<long, std::vector<const ContainerProcess*>> children;
  std::map<long, bool> is_there;
  for (const ContainerProcess& process : processes) is_there[process.pid] = true;
  for (const ContainerProcess& process : processes)
    children[is_there.contains(process.parent) && process.parent != process.pid ? process.parent : 0]
        .push_back(&process);
  std::string text;
  std::function<void(long, std::size_t)> add = [&](long parent, std::size_t depth) {
    if (depth > 40) return;
    for (const ContainerProcess* one : children[parent]) {
      text += fmt::format("{:>8}  {:>8.1f} s  {:{}}{}\n", one->pid, one->cpu_seconds, "", 2 * depth,
                          one->command);
      if (one->pid != 0) add(one->pid, depth + 1);
    }
  };
  add(0, 0);
  return text;
}

StallWatch::StallWatch(ContainerEngine& engine, Clock& clock, std::string container, double patience,
                       std::function<void(const std::string&)> stalled)
    : engine_(engine),
      clock_(clock),
      container_(std::move(container)),
      patience_(patience),
      stalled_(std::move(stalled)),
      last_heard_(clock.now()),
      thread_([this](std::stop_token stop) { watch(stop); }) {}

void StallWatch::watch(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  double quiet_since = clock_.now();  // no output and no processor time since
  double cpu_then = 0;
  while (true) {
    std::unique_lock lock(mutex);
    auto pause = std::chrono::duration<double>(std::clamp(patience_ / 10, 0.1, 30.0));
    if (never.wait_for(lock, stop, pause, [] { return false; }) || stop.stop_requested()) return;
    double now = clock_.now();
    if (held_) {
      quiet_since = now;
      cpu_then = -1;
      continue;
    }
    if (last_heard_ > quiet_since) {
      quiet_since = last_heard_;
      cpu_then = -1;  // not measured since
    }
    std::vector<ContainerProcess> processes;
    try {
      processes = engine_.processes(container_);
    } catch (...) {
      continue;  // the run itself reports an engine that is gone
    }
    if (processes.empty()) {  // nothing runs yet or any more: no silence of the stage
      quiet_since = now;
      cpu_then = -1;
      continue;
    }
    double cpu = cpu_of(processes);
    // Children that ended take their time with them: a decrease does not mean idle.
    if (cpu_then < 0 || cpu < cpu_then || cpu - cpu_then > kIdlePart * patience_) {
      bool first = cpu_then < 0;
      cpu_then = cpu;
      if (!first) quiet_since = now;
      continue;
    }
    if (now - quiet_since < patience_) continue;
    try {
      stalled_(process_tree(processes));
      return;
    } catch (...) {
      continue;  // try again on the next look
    }
  }
}

}  // namespace stagemake
