// What becomes of the images that are made of a stage while it runs: each takes the name of what is
// unfinished, is pushed, and goes when the next one or the stage's own image has come.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "run/build_run.h"
#include "run/foreign_names.h"
#include "run/image_survey.h"

namespace stagemake {
namespace {

constexpr double kRoomMargin = 1.5;                     // over what the last checkpoint took
constexpr std::uint64_t kUnknownBytes = 1'000'000'000;  // that one takes

}  // namespace

// Not shortly before the deadline, when all is saved anyway, and not where the disk is short: the image must
// not take the room that the stage itself needs.
bool BuildRun::may_checkpoint(std::size_t e, std::size_t s) {
  const StagePlan& plan = builds_[e].plan;
  double takes = world_.predictions.commit_seconds(plan.environment.name, plan.stages[s].name);
  if (std::optional<StageTimes> limits = times(e, s);
      limits && world_.clock.now() + 2 * takes > limits->close)
    return false;
  std::optional<fs::path> storage = storage_folder();
  std::optional<std::uint64_t> free = storage ? free_bytes(*storage) : std::nullopt;
  if (!free) return true;
  std::lock_guard lock(mutex_);
  Checkpoints& last = checkpoints_[{e, s}];
  std::uint64_t needed = last.bytes > 0
                             ? static_cast<std::uint64_t>(kRoomMargin * static_cast<double>(last.bytes))
                             : kUnknownBytes;
  if (*free >= needed + reserved_ + options_.min_free) return true;
  if (!std::exchange(last.told_no_room, true))
    reporter_.note(fmt::format("{} {}: no checkpoint is made while only {} are free in {}",
                               plan.environment.name, plan.stages[s].name, size_text(*free),
                               storage->string()));
  return false;
}

// The names that what is unfinished of a stage has, here and for the registry.
std::vector<std::string> BuildRun::partial_names(std::size_t e, std::size_t s) const {
  std::vector<std::string> names = {names_of_stage(e, s, world_.repository).front() + "-failed"};
  if (options_.pushes != nullptr && !world_.push_repository.empty() &&
      world_.push_repository != world_.repository)
    names.push_back(names_of_stage(e, s, world_.push_repository).front() + "-failed");
  return names;
}

void BuildRun::checkpointed(std::size_t e, std::size_t s, const Checkpoint& checkpoint,
                            std::uint64_t size_before) {
  const StagePlan& plan = builds_[e].plan;
  std::optional<ImageInfo> image = world_.engine.find_image(checkpoint.image);
  std::uint64_t bytes = image && image->size > size_before ? image->size - size_before : 0;
  Checkpoints all;
  {
    std::lock_guard lock(mutex_);
    Checkpoints& known = checkpoints_[{e, s}];
    if (!known.image.empty() && known.image != checkpoint.image) known.to_go.push_back(known.image);
    known.image = checkpoint.image;
    known.bytes = bytes;
    all = known;
  }
  take_partial_name(e, s, checkpoint, bytes);
  remove_nameless(e, s, all);
  {
    std::lock_guard lock(mutex_);
    checkpoints_[{e, s}].to_go = all.to_go;
  }
  reporter_.note(fmt::format("checkpoint of {} {}: paused {}, {}, {}", plan.environment.name,
                             plan.stages[s].name, duration_text(checkpoint.paused),
                             counted(finished_packages(checkpoint.snapshot), "package"), size_text(bytes)));
}

// What holds more of the same stage keeps its name: a checkpoint without one is found by its labels.
void BuildRun::take_partial_name(std::size_t e, std::size_t s, const Checkpoint& checkpoint,
                                 std::uint64_t bytes) {
  std::string name = partial_names(e, s).front();
  std::optional<ImageInfo> there = world_.engine.find_image(name);
  std::optional<Snapshot> held = there ? snapshot_of(*there) : std::nullopt;
  if (held && settings_[e].is_richer && settings_[e].is_richer(*held, checkpoint.snapshot)) return;
  if (there && !held && !world_.take_names) {
    note_name_left(name);
    name = name_beside(name);
  }
  world_.engine.tag(checkpoint.image, name);
  push(e, s, checkpoint.image, false, bytes, false);
}

// Earlier checkpoints, from which all names have moved on.
void BuildRun::remove_nameless(std::size_t e, std::size_t s, Checkpoints& checkpoints) {
  // One whose push goes on stays until the next time.
  bool is_sent =
      options_.pushes != nullptr && !world_.push_repository.empty() &&
      options_.pushes->is_sending(names_of_stage(e, s, world_.push_repository).front() + "-failed");
  if (is_sent) return;
  std::erase_if(checkpoints.to_go, [&](const std::string& id) {
    std::optional<ImageInfo> image = world_.engine.find_image(id);
    return !image || (image->names.empty() && world_.engine.remove_image(id));
  });
}

// An image of the stage is there, finished or not: its checkpoints go, and those of stages before it in its
// container. What cannot be removed now is superseded, and goes with `gc`.
void BuildRun::drop_checkpoints(std::size_t e, std::size_t s, bool complete) noexcept {
  for (std::size_t held : builds_[e].plan.chain(s)) drop_checkpoint(e, held, complete || held != s);
}

void BuildRun::drop_checkpoint(std::size_t e, std::size_t s, bool complete) noexcept {
  try {
    Checkpoints all;
    {
      std::lock_guard lock(mutex_);
      auto found = checkpoints_.find({e, s});
      if (found == checkpoints_.end()) return;
      all = std::move(found->second);
      checkpoints_.erase(found);
    }
    if (all.image.empty()) return;
    std::vector<std::string> names = partial_names(e, s);
    if (complete && (options_.pushes == nullptr || options_.pushes->forget(names)))
      for (const std::string& name : names)
        if (std::optional<ImageInfo> image = world_.engine.find_image(name); image && image->id == all.image)
          world_.engine.remove_image(name);
    all.to_go.push_back(all.image);
    remove_nameless(e, s, all);
  } catch (...) {
  }
}

}  // namespace stagemake
