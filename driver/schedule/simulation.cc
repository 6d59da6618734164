#include "schedule/simulation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <tuple>

namespace stagemake {
namespace {

// The machines and the stages on them.
class Machines {
 public:
  Machines(const std::vector<SimulatedStage>& stages, const std::vector<SimulatedMachine>& machines,
           SimulatedOrder order, Simulated& result)
      : stages_(stages),
        result_(result),
        runs_(stages.size()),
        followers_(stages.size()),
        tasks_(tasks_of(stages)),
        remaining_(remaining_seconds(tasks_)),
        dispatcher_(order == SimulatedOrder::LongestFirst ? tasks_ : without_seconds(tasks_), machines),
        machines_(machines.size()) {
    for (std::size_t m = 0; m < machines.size(); ++m) machines_[m].free = std::max(1u, machines[m].slots);
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (stages[s].after)
        followers_[*stages[s].after].push_back(s);
      else
        dispatcher_.add_ready(s);
    }
  }

  void run() {
    begin_stages();
    while (!events_.empty()) {
      Event event = events_.top();
      events_.pop();
      now_ = event.when;
      event.package ? end_package(event.stage, *event.package) : end_part(event.stage);
      begin_stages();
    }
  }

 private:
  struct Event {
    double when;
    std::size_t number;  // of equals, the one that started first
    std::size_t stage;
    std::optional<std::size_t> package;  // else the part before packages
    bool operator>(const Event& other) const {
      return std::tie(when, number) > std::tie(other.when, other.number);
    }
  };
  using Ready = std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>>;
  // A stage that has started.
  struct Run {
    unsigned slots = 0;  // held by it
    bool wants_alone = false, is_alone = false;
    Ready ready = {};
    std::vector<std::size_t> lacks = {};  // for each package: number of missing dependencies
    std::vector<std::vector<std::size_t>> users = {};
    std::size_t left = 0;  // packages

    bool wants_slot() const { return wants_alone || !ready.empty(); }
  };
  struct Machine {
    unsigned free = 1;                      // slots
    std::vector<std::size_t> running = {};  // stages
  };

  static std::vector<Task> without_seconds(std::vector<Task> tasks) {
    for (Task& task : tasks) task.seconds = 0;
    return tasks;
  }

  void begin_stages() {
    while (std::optional<Dispatcher::Start> start = dispatcher_.next()) {
      std::size_t stage = start->task, machine = start->machine.value_or(0);
      result_.machines[stage] = machine;
      machines_[machine].running.push_back(stage);
      double waits = stages_[stage].waiting_seconds + seconds_to_bring(stage, machine);
      if (waits > 0)
        add_event(waits, stage, std::nullopt);
      else
        end_waiting(stage);
    }
    for (Machine& machine : machines_) give_slots(machine);
  }

  double seconds_to_bring(std::size_t stage, std::size_t machine) const {
    const SimulatedStage& one = stages_[stage];
    if (one.after) return result_.machines[*one.after] == machine ? 0 : one.move_seconds;
    return machine < one.bring_seconds.size() ? one.bring_seconds[machine] : 0;
  }

  void add_event(double seconds, std::size_t stage, std::optional<std::size_t> package) {
    events_.push({now_ + seconds, number_++, stage, package});
  }

  void end_part(std::size_t stage) {
    if (!runs_[stage].is_alone) return end_waiting(stage);
    runs_[stage].is_alone = false;
    give_back(stage);
    begin_packages(stage);
  }

  void end_waiting(std::size_t stage) {
    if (stages_[stage].alone_seconds > 0)
      runs_[stage].wants_alone = true;
    else
      begin_packages(stage);
  }

  void begin_packages(std::size_t stage) {
    const std::vector<SimulatedPackage>& packages = stages_[stage].packages;
    Run& run = runs_[stage];
    run.left = packages.size();
    run.lacks.resize(packages.size());
    run.users.resize(packages.size());
    for (std::size_t p = 0; p < packages.size(); ++p) {
      run.lacks[p] = packages[p].needs.size();
      for (std::size_t needed : packages[p].needs) run.users[needed].push_back(p);
      if (run.lacks[p] == 0) run.ready.push(p);
    }
    if (run.left == 0) end_stage(stage);
  }

  void end_package(std::size_t stage, std::size_t package) {
    Run& run = runs_[stage];
    give_back(stage);
    for (std::size_t user : run.users[package])
      if (--run.lacks[user] == 0) run.ready.push(user);
    if (--run.left == 0) end_stage(stage);
  }

  void end_stage(std::size_t stage) {
    result_.ends[stage] = now_;
    runs_[stage] = {};
    std::erase(machines_[result_.machines[stage]].running, stage);
    dispatcher_.end(stage);
    for (std::size_t follower : followers_[stage]) dispatcher_.add_ready(follower);
  }

  void give_back(std::size_t stage) {
    --runs_[stage].slots;
    ++machines_[result_.machines[stage]].free;
  }

  void give_slots(Machine& machine) {
    for (; machine.free > 0; --machine.free) {
      const std::size_t* best = nullptr;
      auto rank = [&](std::size_t stage) {
        return std::tuple(runs_[stage].slots, -remaining_[stage], stage);
      };
      for (const std::size_t& stage : machine.running)
        if (runs_[stage].wants_slot() && (best == nullptr || rank(stage) < rank(*best))) best = &stage;
      if (best == nullptr) return;
      Run& run = runs_[*best];
      ++run.slots;
      if (run.wants_alone) {
        run.wants_alone = false;
        run.is_alone = true;
        add_event(stages_[*best].alone_seconds, *best, std::nullopt);
        continue;
      }
      std::size_t package = run.ready.top();
      run.ready.pop();
      add_event(stages_[*best].packages[package].seconds, *best, package);
    }
  }

  const std::vector<SimulatedStage>& stages_;
  Simulated& result_;
  std::vector<Run> runs_;
  std::vector<std::vector<std::size_t>> followers_;
  const std::vector<Task> tasks_;
  const std::vector<double> remaining_;
  Dispatcher dispatcher_;
  std::vector<Machine> machines_;
  double now_ = 0;
  std::size_t number_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

}  // namespace

double SimulatedStage::work() const {
  double seconds = alone_seconds;
  for (const SimulatedPackage& package : packages) seconds += package.seconds;
  return seconds;
}

double SimulatedStage::longest_path() const {
  std::vector<double> ends;
  double longest = 0;
  for (const SimulatedPackage& package : packages) {
    double begins = 0;
    for (std::size_t needed : package.needs) begins = std::max(begins, ends[needed]);
    ends.push_back(begins + package.seconds);
    longest = std::max(longest, ends.back());
  }
  return waiting_seconds + alone_seconds + longest;
}

double SimulatedStage::seconds_with(unsigned slots) const {
  SimulatedStage alone = *this;
  alone.after.reset();
  alone.memory = 0;
  alone.bring_seconds.clear();
  return simulate({std::move(alone)}, {{.slots = slots}}).makespan;
}

double Simulated::lower_bound() const {
  return std::max(longest_path, work / slots);
}

double Simulated::efficiency() const {
  return makespan > 0 ? work / (makespan * slots) : 1;
}

std::vector<Task> tasks_of(const std::vector<SimulatedStage>& stages) {
  std::vector<Task> tasks;
  for (const SimulatedStage& stage : stages)
    tasks.push_back({.after = stage.after,
                     .seconds = stage.longest_path(),
                     .memory = stage.memory,
                     .is_first = stage.is_first,
                     .environment = stage.environment,
                     .work = stage.work(),
                     .move_seconds = stage.move_seconds,
                     .bring_seconds = stage.bring_seconds});
  return tasks;
}

Simulated simulate(const std::vector<SimulatedStage>& stages, const std::vector<SimulatedMachine>& machines,
                   SimulatedOrder order) {
  Simulated result{.ends = std::vector<double>(stages.size()),
                   .machines = std::vector<std::size_t>(stages.size()),
                   .slots = 0};
  for (const SimulatedMachine& machine : machines) result.slots += std::max(1u, machine.slots);
  Machines(stages, machines, order, result).run();
  for (const SimulatedStage& stage : stages) result.work += stage.work();
  for (double end : result.ends) result.makespan = std::max(result.makespan, end);
  for (double seconds : remaining_seconds(tasks_of(stages)))
    result.longest_path = std::max(result.longest_path, seconds);
  return result;
}

}  // namespace stagemake
