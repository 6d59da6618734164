// Saves a stage now and then while it runs.
//
// What runs in the container is paused, its installation records are read, an image is made whose labels say
// just that, and it goes on. A pause is over at once when a stop is requested, and then no image is made.
// A failure is reported and harms nothing; the next attempt follows at its time.
//
// Thread rule: checkpoints are made in the clock's threads, one at a time. When the destructor returns none
// goes on.
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
#include "plan/snapshot.h"
#include "run/clock.h"

namespace stagemake {

struct Checkpoint {
  std::string image = {};  // id; it has no name yet
  Snapshot snapshot = {};  // what its labels say
  double paused = 0;       // seconds
};

// How a stage is saved while it runs.
struct CheckpointSettings {
  double every = 0;  // seconds from one to the next; more than 0
  // Asked each time before anything is paused: whether one may be made now.
  std::function<bool()> may = {};
  // Is told when what runs is paused and when it goes on.
  std::function<void(bool)> paused = {};
  std::function<void(const Checkpoint&)> made = {};
  std::function<void(const std::string& problem)> failed = {};
};

class Checkpointer {
 public:
  // What is to be made of a paused container: its description, or nothing where it holds nothing new.
  using Describe = std::function<std::optional<Snapshot>()>;

  // All must outlive it. `spec`: of the commit, without names and labels. `stop`: the stage is to end.
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
  std::mutex mutex_;  // of what follows
  bool closed_ = false;
  std::vector<std::unique_ptr<Clock::Alarm>> alarms_;
  std::unique_ptr<Clock::Alarm> resuming_;
  double paused_since_ = 0;
  std::optional<double> paused_for_;  // absent: it is still paused
  bool cut_off_ = false;              // a stop was requested meanwhile
};

}  // namespace stagemake
