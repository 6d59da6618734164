// Saves a stage from time to time while it runs.
//
// The processes in the container are paused, its installation records are read, an image is made whose labels
// say exactly that, and the processes continue. A stop request ends a pause at once, and then no image is
// made. A failure is reported and harms nothing; the next attempt follows at its usual time.
//
// Thread rule: checkpoints are made in the clock's threads, one at a time. No checkpoint is running when the
// destructor returns.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "run/control/clock.h"
#include "snapshot/snapshot.h"

namespace stagemake {

struct Checkpoint {
  std::string image = {};  // id; it has no name yet
  Snapshot snapshot = {};  // as its labels describe it
  double paused = 0;       // seconds
};

// How to save a running stage.
struct CheckpointSettings {
  double every = 0;  // seconds between two checkpoints; more than 0
  // Called each time before anything is paused: whether a checkpoint may be made now.
  std::function<bool()> may = {};
  // Called when the processes are paused and when they continue.
  std::function<void(bool)> paused = {};
  std::function<void(const Checkpoint&)> made = {};
  std::function<void(const std::string& problem)> failed = {};
};

class Checkpointer {
 public:
  // Describes the image to make of a paused container; returns nothing if it holds nothing new.
  using Describe = std::function<std::optional<Snapshot>()>;

  // All arguments must outlive it. `spec`: for the commit, without names and labels. `stop`: requests the end
  // of the stage.
  Checkpointer(ContainerEngine& engine, Clock& clock, const CheckpointSettings& settings,
               std::string container, CommitSpec spec, std::stop_token stop, Describe describe);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  void arm();
  void make() noexcept;
  std::optional<Checkpoint> saved();
  void resume();
  void tell(const std::string& problem) noexcept;

  ContainerEngine& engine_;
  Clock& clock_;
  const CheckpointSettings& settings_;
  const std::string container_;
  const CommitSpec spec_;
  const std::stop_token stop_;
  const Describe describe_;
  std::mutex mutex_;  // guards the members below
  bool closed_ = false;
  std::vector<std::unique_ptr<Clock::Alarm>> alarms_;
  std::unique_ptr<Clock::Alarm> resuming_;
  double paused_since_ = 0;
  std::optional<double> paused_for_;  // absent: still paused
  bool cut_off_ = false;              // a stop was requested during the pause
};

}  // namespace stagemake
