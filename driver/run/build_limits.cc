// What a machine bears: memory and room where images lie, looked at while a build runs.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "run/build_run.h"

namespace stagemake {
namespace {

constexpr double kRoomMargin = 1.2;  // over what a stage took last

}  // namespace

// Who has which job slots and how much memory, and how much room there is.
void BuildRun::complete(MachineSample& sample) {
  if (std::optional<fs::path> storage = storage_folder()) sample.free = free_bytes(*storage).value_or(0);
  look_at_memory();
  note_lack_of_memory();
  if (options_.slots != nullptr) {
    sample.slots = options_.slots->count();
    sample.slots_used = sample.slots - std::min(sample.slots, options_.slots->free());
  }
  std::lock_guard lock(mutex_);
  for (const auto& [at, running] : running_)
    sample.stages.push_back({.environment = at.first,
                             .stage = at.second,
                             .slots = running.place->slots(),
                             .memory = running.memory});
}

// What stages hold now, and held at most: the first counts at once for what may begin beside them, the second
// is learned.
void BuildRun::look_at_memory() {
  std::map<std::string, Position> places;
  std::vector<std::string> containers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [at, running] : running_) {
      containers.push_back(running.place->container());
      places[containers.back()] = at;
    }
  }
  if (containers.empty()) return;
  std::map<std::string, std::uint64_t> held;
  try {
    held = world_.engine.memory_in_use(containers);
  } catch (const Error&) {
    return;  // an engine that does not answer now will be told of by what needs it
  }
  for (const auto& [container, bytes] : held) {
    const Position& at = places.at(container);
    flow_->takes(step_of_.at(at), bytes);
    std::lock_guard lock(mutex_);
    auto running = running_.find(at);
    if (running == running_.end()) continue;
    running->second.memory = bytes;
    running->second.most_memory = std::max(running->second.most_memory, bytes);
  }
}

// Said once: who sees processors that have nothing to do wants to know why.
void BuildRun::note_lack_of_memory() {
  FlowExecutor::MemoryUse use = flow_->memory();
  if (!use.lacks || std::exchange(told_lack_of_memory_, true)) return;
  reporter_.note(
      fmt::format("stages wait for memory: what runs needs about {}, of {} that stages may have (--memory)",
                  size_text(use.used), size_text(options_.memory)));
}

std::optional<fs::path> BuildRun::storage_folder() {
  std::call_once(asked_storage_, [this] {
    try {
      storage_ = world_.engine.storage_folder();
    } catch (const Error&) {
      // What can be done without it is; what cannot will tell.
    }
  });
  return storage_;
}

// What a stage will add to the engine's storage, by what it took before; 0 where that is not known.
std::uint64_t BuildRun::predicted_bytes(std::size_t e, std::size_t s) const {
  const EnvironmentBuild& build = builds_[e];
  std::optional<std::uint64_t> took =
      world_.predictions.stage_bytes(build.plan.environment.name, build.plan.stages[s].name);
  // What is ready already takes no room any more.
  double part = 1;
  if (const std::optional<Candidate>& start = build.decisions[s].start;
      start && !build.plan.stages[s].packages.empty())
    part = static_cast<double>(start->to_build.size()) /
           static_cast<double>(std::max<std::size_t>(1, start->ready + start->to_build.size()));
  return static_cast<std::uint64_t>(kRoomMargin * part * static_cast<double>(took.value_or(0)));
}

// Keeps room for a stage. Why it would fill the disk, beside those that run; empty where it would not, as far
// as is known.
std::string BuildRun::take_room(std::size_t e, std::size_t s, std::uint64_t& needed) {
  needed = predicted_bytes(e, s);
  if (needed == 0 && options_.min_free == 0) return {};
  std::optional<fs::path> storage = storage_folder();
  std::optional<std::uint64_t> free = storage ? free_bytes(*storage) : std::nullopt;
  std::lock_guard lock(mutex_);
  std::uint64_t all = needed + reserved_ + options_.min_free;
  if (!free || *free >= all) {
    reserved_ += needed;
    return {};
  }
  std::vector<std::string> parts;
  if (needed > 0) parts.push_back(fmt::format("it needs about {}, as it did before", size_text(needed)));
  if (reserved_ > 0) parts.push_back(fmt::format("what runs beside it {}", size_text(reserved_)));
  if (options_.min_free > 0)
    parts.push_back(fmt::format("{} are to stay free", size_text(options_.min_free)));
  needed = 0;
  return fmt::format("{}, and {} are free in {}: `stagemake gc --min-free {}M` makes room", join(parts, ", "),
                     size_text(*free), storage->string(), all / 1'000'000 + 1);
}

}  // namespace stagemake
