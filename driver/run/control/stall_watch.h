// Watches for stages that print nothing and do nothing.
//
// A stage is silent if for `patience` seconds it has printed no byte and its container's processes have used
// no significant processor time. Time in which nothing runs in the container (it is being made, sources are
// being copied) does not count. A silent stage is examined (its processes, who started whom, the last lines
// of the log; the log gets all of it) and stopped by escalation.
//
// Thread rule: heard() may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "engine/container_engine.h"
#include "run/control/clock.h"

namespace stagemake {

// Processes as a tree, one per line: "  1234  12.3 s  make all-sage-local".
std::string process_tree(const std::vector<ContainerProcess>& processes);

class StallWatch {
 public:
  // `stalled` gets the findings of the examination, once, from a thread of the watch.
  StallWatch(ContainerEngine& engine, Clock& clock, std::string container, double patience,
             std::function<void(const std::string& findings)> stalled);

  void heard() { last_heard_ = clock_.now(); }
  // A paused stage is not silent.
  void hold(bool held) {
    heard();
    held_ = held;
  }

 private:
  void watch(std::stop_token stop);

  ContainerEngine& engine_;
  Clock& clock_;
  const std::string container_;
  const double patience_;
  const std::function<void(const std::string&)> stalled_;
  std::atomic<double> last_heard_;
  std::atomic<bool> held_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace stagemake
