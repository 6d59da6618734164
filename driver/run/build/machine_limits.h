// The limits of the machine: memory of running stages and disk space for images, measured while a build runs.
//
// Thread rule: all calls from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "run/build/build.h"
#include "run/build/run_progress.h"
#include "run/container/build_container.h"
#include "run/control/flow_executor.h"

namespace stagemake {

class MachineLimits {
 public:
  // All arguments must outlive it.
  MachineLimits(const BuildWorld& world, const BuildOptions& options, RunProgress& progress);

  // A running stage, which is measured as long as this object lives. `step`: its position in the flow.
  class Running {
   public:
    Running(MachineLimits& limits, StageAddress at, std::size_t step, const BuildContainer& container);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    // Bytes, the maximum so far; 0: not measured.
    std::uint64_t most_memory() const;

   private:
    MachineLimits& limits_;
    const std::size_t step_;
  };

  // Disk space reserved for a stage as long as this object lives. `bytes`: what it is predicted to need; 0:
  // not known.
  class Room {
   public:
    Room(MachineLimits& limits, std::uint64_t bytes);
    ~Room();
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;
    // Why the stage would fill the disk, beside those that run; empty if it would not, as far as predicted.
    const std::string& lack() const { return lack_; }

   private:
    MachineLimits& limits_;
    std::uint64_t bytes_;
    std::string lack_;
  };

  // Free space where the engine keeps images; null if that is not on this machine, or not known.
  struct Space {
    fs::path folder;
    std::uint64_t free = 0;  // bytes
  };
  std::optional<Space> space();
  // Whether so much more fits beside what running stages are predicted to need.
  bool has_room(const Space& space, std::uint64_t bytes) const;

  // `flow` runs the stages. Call it before any of them runs; null when they have ended.
  void watch(FlowExecutor* flow) { flow_ = flow; }
  // Measures, and adds to the sample what only the run knows: which stages have which job slots and how much
  // memory, and how much disk space is free.
  void complete(MachineSample& sample);

 private:
  struct RunningStage {
    StageAddress at;
    const BuildContainer* container = nullptr;
    std::uint64_t memory = 0;       // bytes in use now
    std::uint64_t most_memory = 0;  // the maximum so far
  };

  void measure_memory();
  void note_lack_of_memory();
  std::string reserve(std::uint64_t& bytes);

  const BuildWorld& world_;
  const BuildOptions& options_;
  RunProgress& progress_;
  FlowExecutor* flow_ = nullptr;
  mutable std::mutex mutex_;                     // guards the members below
  std::map<std::size_t, RunningStage> running_;  // by step
  std::uint64_t reserved_ = 0;                   // bytes
  bool told_lack_of_memory_ = false;
  std::once_flag asked_storage_;
  std::optional<fs::path> storage_;  // where the engine keeps images, if on this machine
};

}  // namespace stagemake
