// Decides which ready stage starts next, and on which machine: the one with the longest critical path after
// it, where its environment is done first.
//
// Pure, and used both by builds and by their simulation: the caller reports which stages are ready and which
// have ended, and asks which to start. Stages are only tasks with a duration here.
//
// An environment's tasks stay on one machine, where its images are, as long as nothing runs elsewhere so much
// sooner that it is worth moving its image there. What a machine still has to do is the work of the
// environments that are on it, divided by its job slots.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace stagemake {

struct Task {
  std::optional<std::size_t> after;  // an earlier task
  double seconds = 0;                // predicted
  std::uint64_t memory = 0;          // peak in bytes; 0: unknown
  bool is_first = false;             // starts before all tasks without this flag; so does its predecessor
  // The rest counts only if there are several machines.
  std::size_t environment = 0;
  double work = 0;          // slot seconds
  double move_seconds = 0;  // to bring what its predecessor left to another machine
  // Without a predecessor: to bring what it starts from to each machine. Empty: no time.
  std::vector<double> bring_seconds = {};
};

// Of one machine.
struct DispatchLimits {
  unsigned slots = 1;        // job slots; at least 1; a Dispatcher only compares them with other machines'
  unsigned at_once = 1;      // tasks; at least 1
  std::uint64_t memory = 0;  // bytes for all running tasks; 0: no limit
};

// For each task, the length in seconds of the longest path that starts with it.
std::vector<double> remaining_seconds(const std::vector<Task>& tasks);

class Dispatcher {
 public:
  struct Start {
    std::size_t task = 0;
    // Nothing: no machine is left for it (see give_up() and exclude()); it can only fail.
    std::optional<std::size_t> machine = {};

    bool operator==(const Start&) const = default;
  };

  // `machines`: at least one.
  Dispatcher(const std::vector<Task>& tasks, std::vector<DispatchLimits> machines);

  // The predecessor of the task has ended. Called once for each, or again after restart().
  void add_ready(std::size_t task);
  // The task to start now: of the ready tasks for which there is room on the machine that is best for them,
  // one with is_first, then the one with the longest remaining path, then the earliest. If nothing runs on a
  // machine, there is always room. A task that was passed over for lack of memory as often as stages run at
  // once is not passed over again. nullopt if all must wait.
  std::optional<Start> next();
  // The task has ended, and its room is free.
  void end(std::size_t task);
  // All tasks of an environment are to run once more, on any machine. None of them may be running.
  void restart(std::size_t environment);
  // A running task takes more memory than predicted. (Less is ignored: it may still reach the prediction.) No
  // effect if the task is no longer running.
  void takes(std::size_t task, std::uint64_t memory);

  // A machine does not answer: nothing starts on it. Environments that were on it have no machine any more.
  void lose(std::size_t machine);
  // It answers again.
  void regain(std::size_t machine);
  // It is not waited for any more: tasks that only it could run start without a machine.
  void give_up(std::size_t machine);
  // An environment cannot be built on a machine.
  void exclude(std::size_t environment, std::size_t machine);

  // Whether the last call of next() held back a ready task only for lack of memory.
  bool lacks_memory() const { return lacks_memory_; }
  // Bytes, estimated, on all machines.
  std::uint64_t memory_used() const;
  std::size_t running() const;

 private:
  struct Rank {
    bool is_last;      // not is_first
    double remaining;  // negative, so that the longest sorts first
    std::size_t task;
    auto operator<=>(const Rank&) const = default;
  };
  struct Machine {
    DispatchLimits limits;
    std::size_t running = 0;
    std::uint64_t memory_used = 0;
    double load = 0;  // slot seconds of the environments on it
    bool is_lost = false, is_given_up = false;
  };
  struct Place {  // of an environment
    std::optional<std::size_t> machine = {};
    std::size_t running = 0;              // tasks
    double work = 0;                      // slot seconds left
    std::set<std::size_t> excluded = {};  // machines
  };

  bool has_room(std::size_t task, const Machine& machine) const;
  double finish(std::size_t task, std::size_t machine) const;
  // The machine to run it on, now or later. `none`: none is left for it.
  std::optional<std::size_t> best(std::size_t task, bool& none) const;
  void place(std::size_t environment, std::optional<std::size_t> machine);

  std::vector<Task> tasks_;
  std::vector<Rank> ranks_;  // by task
  std::vector<Machine> machines_;
  std::map<std::size_t, Place> places_;  // by environment
  std::set<Rank> ready_;
  std::vector<unsigned> passed_over_;               // by task: how often for lack of memory
  std::vector<std::optional<std::size_t>> ran_on_;  // by task: the machine, from its start on
  std::vector<bool> runs_;                          // by task
  std::vector<bool> is_done_;                       // by task: its work counts no more
  bool lacks_memory_ = false;
};

}  // namespace stagemake
