// Looks after stages that say nothing and do nothing.
//
// A stage is silent when for `patience` seconds neither a byte of output has come nor what runs in its
// container has used processor time worth the name. While nothing runs in it (it is made, sources are
// brought) nothing counts. Then it is examined (which processes there are, who started whom, what the log
// said last; all of it goes into the log) and stopped down the ladder.
//
// Thread rule: heard() from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "engine/container_engine.h"
#include "run/clock.h"

namespace stagemake {

// Processes as a tree, a line each: "  1234  12.3 s  make all-sage-local".
std::string process_tree(const std::vector<ContainerProcess>& processes);

class StallWatch {
 public:
  // `stalled` gets what the examination found, once, from a thread of the watch.
  StallWatch(ContainerEngine& engine, Clock& clock, std::string container, double patience,
             std::function<void(const std::string& findings)> stalled);

  void heard() { last_heard_ = clock_.now(); }
  // While what runs is paused, it is not silent.
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
