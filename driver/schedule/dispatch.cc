#include "schedule/dispatch.h"

#include <algorithm>
#include <limits>

namespace stagemake {
namespace {

// An environment leaves its machine only for a finish that is so much sooner: predictions are rough.
constexpr double kWorthMoving = 0.9;

}  // namespace

std::vector<double> remaining_seconds(const std::vector<Task>& tasks) {
  std::vector<double> longest(tasks.size());  // without the task; then including it
  for (std::size_t i = tasks.size(); i-- > 0;) {
    longest[i] += tasks[i].seconds;
    if (tasks[i].after) longest[*tasks[i].after] = std::max(longest[*tasks[i].after], longest[i]);
  }
  return longest;
}

Dispatcher::Dispatcher(const std::vector<Task>& tasks, std::vector<DispatchLimits> machines)
    : tasks_(tasks),
      passed_over_(tasks.size()),
      ran_on_(tasks.size()),
      runs_(tasks.size()),
      is_done_(tasks.size()) {
  for (DispatchLimits& limits : machines) {
    limits.at_once = std::max(1u, limits.at_once);
    limits.slots = std::max(1u, limits.slots);
    machines_.push_back({.limits = limits});
  }
  std::vector<double> remaining = remaining_seconds(tasks);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    ranks_.push_back({.is_last = !tasks[i].is_first, .remaining = -remaining[i], .task = i});
    places_[tasks[i].environment].work += tasks[i].work;
  }
  for (std::size_t i = tasks.size(); i-- > 0;)
    if (tasks[i].after && !ranks_[i].is_last) ranks_[*tasks[i].after].is_last = false;
}

void Dispatcher::add_ready(std::size_t task) {
  ready_.insert(ranks_[task]);
}

bool Dispatcher::has_room(std::size_t task, const Machine& machine) const {
  if (machine.running == 0) return true;
  const DispatchLimits& limits = machine.limits;
  return machine.running < limits.at_once &&
         (limits.memory == 0 || machine.memory_used + tasks_[task].memory <= limits.memory);
}

// The seconds until its environment would be done there.
double Dispatcher::finish(std::size_t task, std::size_t m) const {
  const Machine& machine = machines_[m];
  const Place& place = places_.at(tasks_[task].environment);
  double others = machine.load - (place.machine == m ? place.work : 0);
  double bring = 0;
  if (const std::optional<std::size_t>& after = tasks_[task].after)
    bring = ran_on_[*after] == m ? 0 : tasks_[task].move_seconds;
  else if (m < tasks_[task].bring_seconds.size())
    bring = tasks_[task].bring_seconds[m];
  return bring +
         std::max((std::max(0.0, others) + place.work) / machine.limits.slots, -ranks_[task].remaining);
}

std::optional<std::size_t> Dispatcher::best(std::size_t task, bool& none) const {
  const Place& place = places_.at(tasks_[task].environment);
  if (place.running > 0) return place.machine;
  auto is_too_small = [&](const Machine& machine) {
    return machine.limits.memory > 0 && tasks_[task].memory > machine.limits.memory;
  };
  struct Choice {
    bool is_too_small;
    double finish;
    double load;  // per slot: of equals, the one with the least to do
    std::size_t machine;
    auto operator<=>(const Choice&) const = default;
  };
  std::optional<Choice> best, own;
  none = true;
  for (std::size_t m = 0; m < machines_.size(); ++m) {
    const Machine& machine = machines_[m];
    if (place.excluded.contains(m) || machine.is_given_up) continue;
    none = false;
    if (machine.is_lost) continue;
    Choice choice{.is_too_small = is_too_small(machine),
                  .finish = machines_.size() == 1 ? 0 : finish(task, m),
                  .load = machine.load / machine.limits.slots,
                  .machine = m};
    if (place.machine == m) own = choice;
    if (!best || choice < *best) best = choice;
  }
  if (own && own->is_too_small == best->is_too_small && best->finish > kWorthMoving * own->finish)
    return own->machine;
  return best ? std::optional(best->machine) : std::nullopt;
}

std::optional<Dispatcher::Start> Dispatcher::next() {
  lacks_memory_ = false;
  std::vector<bool> is_reserved(machines_.size());  // for a task that was passed over too often
  std::vector<std::vector<std::size_t>> lacking(machines_.size());
  auto is_full = [&](std::size_t m) {
    return machines_[m].is_lost || is_reserved[m] || machines_[m].running >= machines_[m].limits.at_once;
  };
  for (auto rank = ready_.begin(); rank != ready_.end(); ++rank) {
    std::size_t task = rank->task;
    bool none = false;
    std::optional<std::size_t> m = best(task, none);
    if (!m && !none) continue;
    if (m && (is_full(*m) || !has_room(task, machines_[*m]))) {
      bool lacks_only_memory = !is_full(*m);
      if (lacks_only_memory) {
        lacks_memory_ = true;
        lacking[*m].push_back(task);
        is_reserved[*m] = passed_over_[task] >= machines_[*m].limits.at_once;
      }
      bool all_full = true;
      for (std::size_t other = 0; other < machines_.size(); ++other) all_full = all_full && is_full(other);
      if (all_full) return std::nullopt;
      continue;
    }
    ready_.erase(rank);
    runs_[task] = true;
    ran_on_[task] = m;
    if (m) {
      for (std::size_t before : lacking[*m]) ++passed_over_[before];
      place(tasks_[task].environment, m);
      ++machines_[*m].running;
      machines_[*m].memory_used += tasks_[task].memory;
    }
    ++places_[tasks_[task].environment].running;
    return Start{.task = task, .machine = m};
  }
  return std::nullopt;
}

// Moves an environment, with the work that it has left.
void Dispatcher::place(std::size_t environment, std::optional<std::size_t> machine) {
  Place& place = places_[environment];
  if (place.machine == machine) return;
  if (place.machine) machines_[*place.machine].load -= place.work;
  place.machine = machine;
  if (machine) machines_[*machine].load += place.work;
}

void Dispatcher::end(std::size_t task) {
  if (!runs_[task]) return;
  runs_[task] = false;
  Place& place = places_[tasks_[task].environment];
  --place.running;
  if (ran_on_[task]) {
    Machine& machine = machines_[*ran_on_[task]];
    --machine.running;
    machine.memory_used -= tasks_[task].memory;
  }
  if (is_done_[task]) return;
  is_done_[task] = true;
  place.work -= tasks_[task].work;
  if (place.machine) machines_[*place.machine].load -= tasks_[task].work;
}

void Dispatcher::restart(std::size_t environment) {
  place(environment, std::nullopt);
  Place& place = places_[environment];
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (tasks_[i].environment != environment) continue;
    if (is_done_[i]) place.work += tasks_[i].work;
    is_done_[i] = false;
  }
}

void Dispatcher::takes(std::size_t task, std::uint64_t memory) {
  if (!runs_[task] || !ran_on_[task] || memory <= tasks_[task].memory) return;
  machines_[*ran_on_[task]].memory_used += memory - tasks_[task].memory;
  tasks_[task].memory = memory;
}

void Dispatcher::lose(std::size_t machine) {
  machines_[machine].is_lost = true;
}

void Dispatcher::regain(std::size_t machine) {
  machines_[machine].is_lost = machines_[machine].is_given_up = false;
}

void Dispatcher::give_up(std::size_t machine) {
  machines_[machine].is_lost = machines_[machine].is_given_up = true;
}

void Dispatcher::exclude(std::size_t environment, std::size_t machine) {
  places_[environment].excluded.insert(machine);
}

std::uint64_t Dispatcher::memory_used() const {
  std::uint64_t bytes = 0;
  for (const Machine& machine : machines_) bytes += machine.memory_used;
  return bytes;
}

std::size_t Dispatcher::running() const {
  std::size_t tasks = 0;
  for (const Machine& machine : machines_) tasks += machine.running;
  return tasks;
}

}  // namespace stagemake
