// The images made of a stage while it runs: each takes the name of unfinished images, is pushed, and is
// removed when the next one or the stage's own image exists.
//
// Thread rule: take() and drop() are never called at the same time; may_make() from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "run/build/run_context.h"
#include "run/control/checkpointer.h"

namespace stagemake {

class StageCheckpoints {
 public:
  // `plan` must outlive it. `is_richer`: as in ContainerSetting.
  StageCheckpoints(const RunContext& run, const StagePlan& plan, std::size_t stage,
                   const std::function<bool(const Snapshot& there, const Snapshot& ours)>& is_richer);

  // Whether a checkpoint may be made now. None is made shortly before the stage's limits, when everything is
  // saved anyway, or if disk space is short: the image must not take the space that the stage itself needs.
  bool may_make(const std::optional<StageTimes>& limits);
  // Names and pushes a checkpoint, and removes earlier ones. `size_before`: bytes of the image that the stage
  // started from.
  void take(const Checkpoint& checkpoint, std::uint64_t size_before);
  // Call it when an image of the stage exists, `complete` or not. Checkpoints that cannot be removed now are
  // superseded, and `gc` removes them.
  void drop(bool complete) noexcept;

 private:
  struct Made {
    std::string image = {};               // id of the last one; empty: none
    std::uint64_t bytes = 0;              // its own
    std::vector<std::string> to_go = {};  // ids of earlier ones that were in use
  };
  void name(const Checkpoint& checkpoint, std::uint64_t bytes);
  void remove_nameless(Made& made);

  const RunContext& run_;
  const StagePlan& plan_;
  const std::size_t stage_;
  const std::function<bool(const Snapshot&, const Snapshot&)>& is_richer_;
  std::mutex mutex_;  // guards the members below
  Made made_;
  bool told_no_room_ = false;
};

}  // namespace stagemake
