#include "run/build/machine_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text/text.h"

namespace stagemake {

MachineLimits::MachineLimits(const BuildWorld& world, const BuildOptions& options, RunProgress& progress)
    : world_(world), options_(options), progress_(progress) {}

MachineLimits::Running::Running(MachineLimits& limits, StageAddress at, std::size_t step,
                                const BuildContainer& container)
    : limits_(limits), step_(step) {
  std::lock_guard lock(limits_.mutex_);
  limits_.running_[step_] = {.at = at, .container = &container};
}

MachineLimits::Running::~Running() {
  std::lock_guard lock(limits_.mutex_);
  limits_.running_.erase(step_);
}

std::uint64_t MachineLimits::Running::most_memory() const {
  std::lock_guard lock(limits_.mutex_);
  return limits_.running_.at(step_).most_memory;
}

MachineLimits::Room::Room(MachineLimits& limits, std::uint64_t bytes)
    : limits_(limits), bytes_(bytes), lack_(limits.reserve(bytes_)) {}

MachineLimits::Room::~Room() {
  std::lock_guard lock(limits_.mutex_);
  limits_.reserved_ -= bytes_;
}

// Sets `bytes` to what is reserved.
std::string MachineLimits::reserve(std::uint64_t& bytes) {
  if (bytes == 0 && options_.min_free == 0) return {};
  std::optional<Space> space = this->space();
  std::lock_guard lock(mutex_);
  std::uint64_t all = bytes + reserved_ + options_.min_free;
  if (!space || space->free >= all) {
    reserved_ += bytes;
    return {};
  }
  std::vector<std::string> parts;
  if (bytes > 0) parts.push_back(fmt::format("it needs about {}, as in earlier runs", size_text(bytes)));
  if (reserved_ > 0) parts.push_back(fmt::format("running stages need {}", size_text(reserved_)));
  if (options_.min_free > 0) parts.push_back(fmt::format("{} must stay free", size_text(options_.min_free)));
  bytes = 0;
  return fmt::format("{}, and {} are free in {}: `stagemake gc --min-free {}M` makes room", join(parts, ", "),
                     size_text(space->free), space->folder.string(), all / 1'000'000 + 1);
}

std::optional<MachineLimits::Space> MachineLimits::space() {
  std::call_once(asked_storage_, [this] {
    try {
      storage_ = world_.engine.storage_folder();
    } catch (const Error&) {
      // Continue without it; calls that need the engine report the error.
    }
  });
  std::optional<std::uint64_t> free = storage_ ? free_bytes(*storage_) : std::nullopt;
  if (!free) return std::nullopt;
  return Space{.folder = *storage_, .free = *free};
}

bool MachineLimits::has_room(const Space& space, std::uint64_t bytes) const {
  std::lock_guard lock(mutex_);
  return space.free >= bytes + reserved_ + options_.min_free;
}

void MachineLimits::complete(MachineSample& sample) {
  if (std::optional<Space> space = this->space()) sample.free = space->free;
  measure_memory();
  note_lack_of_memory();
  if (options_.slots != nullptr) {
    sample.slots = options_.slots->count();
    sample.slots_used = sample.slots - std::min(sample.slots, options_.slots->free());
  }
  std::lock_guard lock(mutex_);
  for (const auto& [step, running] : running_)
    sample.stages.push_back(
        {.at = running.at, .slots = running.container->slots(), .memory = running.memory});
}

// The memory that stages use now counts at once for stages that may start beside them; their maximum is
// learned.
void MachineLimits::measure_memory() {
  std::map<std::string, std::size_t> steps;  // by container
  std::vector<std::string> containers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [step, running] : running_) {
      containers.push_back(running.container->container());
      steps[containers.back()] = step;
    }
  }
  if (containers.empty()) return;
  std::map<std::string, std::uint64_t> used;
  try {
    used = world_.engine.memory_in_use(containers);
  } catch (const Error&) {
    return;  // if the engine is gone, the next call that needs it reports that
  }
  for (const auto& [container, bytes] : used) {
    std::size_t step = steps.at(container);
    flow_->takes(step, bytes);
    std::lock_guard lock(mutex_);
    auto running = running_.find(step);
    if (running == running_.end()) continue;
    running->second.memory = bytes;
    running->second.most_memory = std::max(running->second.most_memory, bytes);
  }
}

// Reported once, to explain idle processors.
void MachineLimits::note_lack_of_memory() {
  FlowExecutor::MemoryUse use = flow_->memory();
  if (!use.lacks || std::exchange(told_lack_of_memory_, true)) return;
  progress_.note(fmt::format(
      "stages wait for memory: running stages need about {} of the {} that stages may use (--memory)",
      size_text(use.used), size_text(options_.memory)));
}

}  // namespace stagemake
