// Simulates how long many stages take on some machines if each takes the predicted time.
//
// Stages start in the same order, and on the same machines, as in a build: the same Dispatcher decides.
// Inside a stage, make builds its packages in its own order, as soon as their dependencies are there. Every
// package and everything else that runs takes one job slot of its machine; a free slot goes to the running
// stage that has the fewest, of equals to the one with the longest remaining path. Pure.
#pragma once

#include <optional>
#include <vector>

#include "schedule/dispatch.h"
#include "tree/package_index.h"

namespace stagemake {

struct SimulatedPackage {
  double seconds = 0;
  std::vector<std::size_t> needs = {};  // earlier packages of the same stage
  PackageId id = {};                    // identifies it for callers
};

struct SimulatedStage {
  std::size_t environment = 0;
  std::optional<std::size_t> after = {};        // an earlier stage of the list, in the same environment
  double waiting_seconds = 0;                   // first: without a slot (an image is fetched)
  double alone_seconds = 0;                     // then: with one slot
  std::vector<SimulatedPackage> packages = {};  // then: in make's order
  std::uint64_t memory = 0;
  bool is_first = false;  // as in Task
  // The same for Task::move_seconds and Task::bring_seconds. In simulate(), they come before waiting_seconds
  // if the stage runs on another machine than its predecessor, or without one.
  double move_seconds = 0;
  std::vector<double> bring_seconds = {};

  // Slot seconds.
  double work() const;
  // Seconds with any number of slots.
  double longest_path() const;
  // Seconds with this many slots (at least 1) for itself, built as in simulate().
  double seconds_with(unsigned slots) const;
};

using SimulatedMachine = DispatchLimits;

enum class SimulatedOrder { LongestFirst, FirstCome };

struct Simulated {
  double makespan = 0;                     // seconds until everything is done
  double longest_path = 0;                 // of one environment, with any number of slots
  double work = 0;                         // slot seconds
  std::vector<double> ends = {};           // of each stage
  std::vector<std::size_t> machines = {};  // of each stage: where it ran
  unsigned slots = 1;                      // of all machines

  // No order takes less.
  double lower_bound() const;
  // The fraction of all slots' time that is used.
  double efficiency() const;
};

// `machines`: at least one.
Simulated simulate(const std::vector<SimulatedStage>& stages, const std::vector<SimulatedMachine>& machines,
                   SimulatedOrder order = SimulatedOrder::LongestFirst);

// The stages as tasks for a Dispatcher.
std::vector<Task> tasks_of(const std::vector<SimulatedStage>& stages);

}  // namespace stagemake
