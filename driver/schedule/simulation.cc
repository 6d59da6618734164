#include "schedule/simulation.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <queue>
#include <tuple>

namespace stagemake {
namespace {

// One machine and its stages.
class Machine {
 public:
  Machine(const std::vector<SimulatedStage>& stages, const SimulatedMachines& machines,
          const std::vector<bool>& is_here, SimulatedOrder order, std::vector<double>& ends)
      : stages_(stages),
        ends_(ends),
        runs_(stages.size()),
        followers_(stages.size()),
        tasks_(tasks_of(stages)),
        remaining_(remaining_seconds(tasks_)),
        dispatcher_(order == SimulatedOrder::LongestFirst ? tasks_ : without_seconds(tasks_),
                    {.at_once = machines.at_once, .memory = machines.memory}),
        free_(std::max(1u, machines.slots)) {
    for (std::size_t s = 0; s < stages.size(); ++s) {
      if (!is_here[s]) continue;
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

  static std::vector<Task> without_seconds(std::vector<Task> tasks) {
    for (Task& task : tasks) task.seconds = 0;
    return tasks;
  }

  void begin_stages() {
    while (std::optional<std::size_t> stage = dispatcher_.next()) {
      running_.push_back(*stage);
      if (stages_[*stage].waiting_seconds > 0)
        add_event(stages_[*stage].waiting_seconds, *stage, std::nullopt);
      else
        end_waiting(*stage);
    }
    give_slots();
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
    ends_[stage] = now_;
    runs_[stage] = {};
    std::erase(running_, stage);
    dispatcher_.end(stage);
    for (std::size_t follower : followers_[stage]) dispatcher_.add_ready(follower);
  }

  void give_back(std::size_t stage) {
    --runs_[stage].slots;
    ++free_;
  }

  void give_slots() {
    for (; free_ > 0; --free_) {
      const std::size_t* best = nullptr;
      auto rank = [&](std::size_t stage) {
        return std::tuple(runs_[stage].slots, -remaining_[stage], stage);
      };
      for (const std::size_t& stage : running_)
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
  std::vector<double>& ends_;
  std::vector<Run> runs_;
  std::vector<std::vector<std::size_t>> followers_;
  const std::vector<Task> tasks_;
  const std::vector<double> remaining_;
  Dispatcher dispatcher_;
  unsigned free_;  // slots
  double now_ = 0;
  std::size_t number_ = 0;
  std::vector<std::size_t> running_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
};

// Assigns environments to machines: those with the most work first, each to the machine with the least so
// far.
std::map<std::size_t, std::size_t> dealt_out(const std::vector<SimulatedStage>& stages,
                                             std::size_t machines) {
  std::map<std::size_t, double> work;
  for (const SimulatedStage& stage : stages) work[stage.environment] += stage.work();
  std::vector<std::pair<double, std::size_t>> largest_first;
  for (const auto& [environment, seconds] : work) largest_first.emplace_back(-seconds, environment);
  std::sort(largest_first.begin(), largest_first.end());
  std::vector<double> loads(machines);
  std::map<std::size_t, std::size_t> machine_of;
  for (const auto& [negative, environment] : largest_first) {
    auto least = std::min_element(loads.begin(), loads.end());
    *least -= negative;
    machine_of[environment] = static_cast<std::size_t>(least - loads.begin());
  }
  return machine_of;
}

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
  return simulate({std::move(alone)}, {.slots = slots}).makespan;
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
                     .is_first = stage.is_first});
  return tasks;
}

Simulated simulate(const std::vector<SimulatedStage>& stages, const SimulatedMachines& machines,
                   SimulatedOrder order) {
  std::size_t count = std::max(1u, machines.machines);
  Simulated result{.ends = std::vector<double>(stages.size()),
                   .slots = static_cast<unsigned>(count) * std::max(1u, machines.slots)};
  std::map<std::size_t, std::size_t> machine_of = dealt_out(stages, count);
  for (std::size_t m = 0; m < count; ++m) {
    std::vector<bool> is_here(stages.size());
    for (std::size_t s = 0; s < stages.size(); ++s) is_here[s] = machine_of[stages[s].environment] == m;
    Machine(stages, machines, is_here, order, result.ends).run();
  }
  for (const SimulatedStage& stage : stages) result.work += stage.work();
  for (double end : result.ends) result.makespan = std::max(result.makespan, end);
  for (double seconds : remaining_seconds(tasks_of(stages)))
    result.longest_path = std::max(result.longest_path, seconds);
  return result;
}

}  // namespace stagemake
