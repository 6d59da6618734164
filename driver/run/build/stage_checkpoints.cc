#include "run/build/stage_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text/text.h"
#include "run/container/image_survey.h"
#include "run/images/foreign_names.h"
#include "run/images/origins.h"

namespace stagemake {
namespace {

constexpr double kRoomMargin = 1.5;                     // times the size of the last checkpoint
constexpr std::uint64_t kUnknownBytes = 1'000'000'000;  // assumed for a first checkpoint

}  // namespace

StageCheckpoints::StageCheckpoints(
    const RunContext& run, const StagePlan& plan, std::size_t stage,
    const std::function<bool(const Snapshot& there, const Snapshot& ours)>& is_richer)
    : run_(run), plan_(plan), stage_(stage), is_richer_(is_richer) {}

bool StageCheckpoints::may_make(const std::optional<StageTimes>& limits) {
  double takes = run_.world.predictions.commit_seconds(plan_.environment.name, plan_.stages[stage_].name);
  if (limits && run_.world.clock.now() + 2 * takes > limits->close) return false;
  std::optional<MachineLimits::Space> space = run_.limits.space();
  if (!space) return true;
  std::lock_guard lock(mutex_);
  std::uint64_t needed = made_.bytes > 0
                             ? static_cast<std::uint64_t>(kRoomMargin * static_cast<double>(made_.bytes))
                             : kUnknownBytes;
  if (run_.limits.has_room(*space, needed)) return true;
  if (!std::exchange(told_no_room_, true))
    run_.progress.note(fmt::format("{} {}: no checkpoint is made while only {} are free in {}",
                                   plan_.environment.name, plan_.stages[stage_].name, size_text(space->free),
                                   space->folder.string()));
  return false;
}

void StageCheckpoints::take(const Checkpoint& checkpoint, std::uint64_t size_before) {
  Origins(run_.world.state.origins()).made(checkpoint.image);
  std::optional<ImageInfo> image = run_.world.engine.find_image(checkpoint.image);
  std::uint64_t bytes = image && image->size > size_before ? image->size - size_before : 0;
  Made made;
  {
    std::lock_guard lock(mutex_);
    if (!made_.image.empty() && made_.image != checkpoint.image) made_.to_go.push_back(made_.image);
    made_.image = checkpoint.image;
    made_.bytes = bytes;
    made = made_;
  }
  name(checkpoint, bytes);
  remove_nameless(made);
  {
    std::lock_guard lock(mutex_);
    made_.to_go = made.to_go;
  }
  run_.progress.note(fmt::format("checkpoint of {} {}: paused {}, {}, {}", plan_.environment.name,
                                 plan_.stages[stage_].name, duration_text(checkpoint.paused),
                                 counted(finished_packages(checkpoint.snapshot), "package"),
                                 size_text(bytes)));
}

// An image that holds more of the same stage keeps its name: a checkpoint without a name is found by its
// labels.
void StageCheckpoints::name(const Checkpoint& checkpoint, std::uint64_t bytes) {
  std::string name = run_.names.partial(plan_, stage_);
  std::optional<ImageInfo> there = run_.world.engine.find_image(name);
  std::optional<Snapshot> held = there ? snapshot_of(*there) : std::nullopt;
  if (held && is_richer_ && is_richer_(*held, checkpoint.snapshot)) return;
  if (there && !held && !run_.world.take_names) {
    run_.names.note_left(name);
    name = name_beside(name);
  }
  run_.world.engine.tag(checkpoint.image, name);
  run_.names.push(plan_, stage_, checkpoint.image, false, bytes, false);
}

// Removes earlier checkpoints whose names have all moved on.
void StageCheckpoints::remove_nameless(Made& made) {
  // A checkpoint that is being pushed stays until the next time.
  if (run_.names.is_sending_partial(plan_, stage_)) return;
  std::erase_if(made.to_go, [&](const std::string& id) {
    std::optional<ImageInfo> image = run_.world.engine.find_image(id);
    return !image || (image->names.empty() && run_.world.engine.remove_image(id));
  });
}

void StageCheckpoints::drop(bool complete) noexcept {
  try {
    Made made;
    {
      std::lock_guard lock(mutex_);
      made = std::exchange(made_, {});
    }
    if (made.image.empty()) return;
    std::vector<std::string> names = run_.names.all_partial(plan_, stage_);
    if (complete && run_.names.forget(names))
      for (const std::string& name : names)
        if (std::optional<ImageInfo> image = run_.world.engine.find_image(name);
            image && image->id == made.image)
          run_.world.engine.remove_image(name);
    made.to_go.push_back(made.image);
    remove_nameless(made);
  } catch (...) {
  }
}

}  // namespace stagemake
