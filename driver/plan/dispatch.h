// Which of the stages that could begin does begin next, on one machine: the one after which the longest way
// lies.
//
// Pure, and used by builds and by their simulation alike: who calls says what is ready and what has ended,
// and asks what to begin. It knows stages only as tasks with a duration.
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
  std::uint64_t memory = 0;          // bytes that it takes at most; 0: not known
  bool is_first = false;             // wanted before all that are not; so is what it comes after
};

struct DispatchLimits {
  unsigned at_once = 1;      // tasks; at least 1
  std::uint64_t memory = 0;  // bytes for all that run; 0: not looked at
};

// Of each task, the seconds from its beginning to the end of the longest way that begins with it.
std::vector<double> remaining_seconds(const std::vector<Task>& tasks);

class Dispatcher {
 public:
  Dispatcher(const std::vector<Task>& tasks, const DispatchLimits& limits);

  // What a task comes after has ended. Called once for each.
  void add_ready(std::size_t task);
  // The task to begin now: of those that are ready and for which there is room, one that is wanted first,
  // then the one with the longest way before it, then the earliest. Where nothing runs there is always room.
  // One that was passed over for want of memory as often as stages run at once is not passed over again.
  // Nothing where all must wait.
  std::optional<std::size_t> next();
  // It has ended, and its room is free.
  void end(std::size_t task);
  // It takes more memory, while it runs, than was thought. (Less: it may still come to that.) Of one that does
  // not run any more nothing is changed.
  void takes(std::size_t task, std::uint64_t memory);
  // Whether one that is ready was kept back, when next() was last asked, by memory alone.
  bool lacks_memory() const { return lacks_memory_; }
  std::uint64_t memory_used() const { return memory_used_; }  // bytes, as it is thought

  std::size_t running() const { return running_; }

 private:
  struct Rank {
    bool is_last;      // not wanted first
    double remaining;  // negative: the longest is least
    std::size_t task;
    auto operator<=>(const Rank&) const = default;
  };

  bool has_room(std::size_t task) const;

  std::vector<Rank> ranks_;  // by task
  std::vector<std::uint64_t> memory_;
  DispatchLimits limits_;
  std::set<Rank> ready_;
  std::vector<unsigned> passed_over_;  // by task: how often, for want of memory
  std::vector<bool> runs_;             // by task
  bool lacks_memory_ = false;
  std::size_t running_ = 0;
  std::uint64_t memory_used_ = 0;
};

}  // namespace stagemake
