#include "schedule/dispatch.h"

#include <algorithm>

namespace stagemake {

std::vector<double> remaining_seconds(const std::vector<Task>& tasks) {
  std::vector<double> longest(tasks.size());  // without the task; then including it
  for (std::size_t i = tasks.size(); i-- > 0;) {
    longest[i] += tasks[i].seconds;
    if (tasks[i].after) longest[*tasks[i].after] = std::max(longest[*tasks[i].after], longest[i]);
  }
  return longest;
}

Dispatcher::Dispatcher(const std::vector<Task>& tasks, const DispatchLimits& limits) : limits_(limits) {
  limits_.at_once = std::max(1u, limits_.at_once);
  passed_over_.resize(tasks.size());
  runs_.resize(tasks.size());
  std::vector<double> remaining = remaining_seconds(tasks);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    ranks_.push_back({.is_last = !tasks[i].is_first, .remaining = -remaining[i], .task = i});
    memory_.push_back(tasks[i].memory);
  }
  for (std::size_t i = tasks.size(); i-- > 0;)
    if (tasks[i].after && !ranks_[i].is_last) ranks_[*tasks[i].after].is_last = false;
}

void Dispatcher::add_ready(std::size_t task) {
  ready_.insert(ranks_[task]);
}

bool Dispatcher::has_room(std::size_t task) const {
  if (running_ == 0) return true;
  return running_ < limits_.at_once &&
         (limits_.memory == 0 || memory_used_ + memory_[task] <= limits_.memory);
}

std::optional<std::size_t> Dispatcher::next() {
  lacks_memory_ = false;
  if (running_ >= limits_.at_once) return std::nullopt;
  auto found = ready_.begin();
  for (; found != ready_.end() && !has_room(found->task); ++found) {
    lacks_memory_ = true;
    if (passed_over_[found->task] >= limits_.at_once) return std::nullopt;
  }
  if (found == ready_.end()) return std::nullopt;
  for (auto before = ready_.begin(); before != found; ++before) ++passed_over_[before->task];
  std::size_t task = found->task;
  ready_.erase(found);
  ++running_;
  runs_[task] = true;
  memory_used_ += memory_[task];
  return task;
}

void Dispatcher::end(std::size_t task) {
  --running_;
  runs_[task] = false;
  memory_used_ -= memory_[task];
}

void Dispatcher::takes(std::size_t task, std::uint64_t memory) {
  if (!runs_[task] || memory <= memory_[task]) return;
  memory_used_ += memory - memory_[task];
  memory_[task] = memory;
}

}  // namespace stagemake
