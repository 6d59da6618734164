// Decides which ready stage starts next on one machine: the one with the longest critical path after it.
//
// Pure, and used both by builds and by their simulation: the caller reports which stages are ready and which
// have ended, and asks which to start. Stages are only tasks with a duration here.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

namespace stagemake {

struct Task {
  std::optional<std::size_t> after;  // an earlier task
  double seconds = 0;                // predicted
  std::uint64_t memory = 0;          // peak in bytes; 0: unknown
  bool is_first = false;             // starts before all tasks without this flag; so does its predecessor
};

struct DispatchLimits {
  unsigned at_once = 1;      // tasks; at least 1
  std::uint64_t memory = 0;  // bytes for all running tasks; 0: no limit
};

// For each task, the length in seconds of the longest path that starts with it.
std::vector<double> remaining_seconds(const std::vector<Task>& tasks);

class Dispatcher {
 public:
  Dispatcher(const std::vector<Task>& tasks, const DispatchLimits& limits);

  // The predecessor of the task has ended. Called once for each.
  void add_ready(std::size_t task);
  // The task to start now: of the ready tasks for which there is room, one with is_first, then the one with
  // the longest remaining path, then the earliest. If nothing runs, there is always room. A task that was
  // passed over for lack of memory as often as stages run at once is not passed over again. nullopt if all
  // must wait.
  std::optional<std::size_t> next();
  // The task has ended, and its room is free.
  void end(std::size_t task);
  // A running task takes more memory than predicted. (Less is ignored: it may still reach the prediction.) No
  // effect if the task is no longer running.
  void takes(std::size_t task, std::uint64_t memory);
  // Whether the last call of next() held back a ready task only for lack of memory.
  bool lacks_memory() const { return lacks_memory_; }
  std::uint64_t memory_used() const { return memory_used_; }  // bytes, estimated

  std::size_t running() const { return running_; }

 private:
  struct Rank {
    bool is_last;      // not is_first
    double remaining;  // negative, so that the longest sorts first
    std::size_t task;
    auto operator<=>(const Rank&) const = default;
  };

  bool has_room(std::size_t task) const;

  std::vector<Rank> ranks_;  // by task
  std::vector<std::uint64_t> memory_;
  DispatchLimits limits_;
  std::set<Rank> ready_;
  std::vector<unsigned> passed_over_;  // by task: how often for lack of memory
  std::vector<bool> runs_;             // by task
  bool lacks_memory_ = false;
  std::size_t running_ = 0;
  std::uint64_t memory_used_ = 0;
};

}  // namespace stagemake
