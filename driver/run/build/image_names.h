// The names of a run's images: which a stage gets, which are left to other images, which are pushed.
//
// Thread rule: all calls from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "run/build/build.h"

namespace stagemake {

class ImageNames {
 public:
  // All arguments must outlive it. `pushes`: null if nothing is pushed.
  ImageNames(const BuildWorld& world, PushQueue* pushes, Reporter& reporter);

  // The names that people use for the finished image of a stage: one per tag, the build's own first.
  std::vector<std::string> of(const StagePlan& plan, std::size_t stage) const;
  // The name of its unfinished image.
  std::string partial(const StagePlan& plan, std::size_t stage) const;
  // The name of its unfinished image on this machine and, if another one, the name to push.
  std::vector<std::string> all_partial(const StagePlan& plan, std::size_t stage) const;

  // Names an image, unless an image that stagemake did not make has the name.
  void give(const std::string& image, const std::string& name);
  // Reports each name that is left to such an image once.
  void note_left(const std::string& name);

  // Queues an image for pushing, while the next stages run. `bytes`: size of the image; 0: not known.
  // `required`: an image that cannot be pushed counts as failed.
  void push(const StagePlan& plan, std::size_t stage, const std::string& image, bool complete,
            std::uint64_t bytes, bool required = true);
  // Why a reused image is not pushed, though others are; empty if it is.
  std::string reason_not_to_push(const StagePlan& plan, std::size_t stage, const Snapshot& image) const;
  // Whether the stage's unfinished image is being pushed now.
  bool is_sending_partial(const StagePlan& plan, std::size_t stage) const;
  // Takes names out of the queue; false if one is being pushed.
  bool forget(const std::vector<std::string>& names);

 private:
  bool pushes() const { return pushes_ != nullptr && !world_.push_repository.empty(); }
  std::vector<std::string> in(const std::string& repository, const StagePlan& plan, std::size_t stage) const;

  const BuildWorld& world_;
  PushQueue* const pushes_;
  Reporter& reporter_;
  std::mutex mutex_;            // guards left_
  std::set<std::string> left_;  // already reported
};

}  // namespace stagemake
