// How long many stages take on some machines, if each takes what is predicted: builds on a clock that is not
// there.
//
// Stages begin in the order in which a build would begin them: the same Dispatcher decides. Inside a stage,
// make builds its packages in its own order, as soon as what they need is there. Every package and everything
// else that runs takes one job slot of its machine; a slot that is free goes to the running stage that has
// the fewest, of equals to the one with the longest way before it. Pure.
#pragma once

#include <optional>
#include <vector>

#include "plan/dispatch.h"
#include "plan/package_index.h"

namespace stagemake {

struct SimulatedPackage {
  double seconds = 0;
  std::vector<std::size_t> needs = {};  // earlier ones of the same stage
  PackageId id = {};                    // for whoever asks which one it is
};

struct SimulatedStage {
  std::size_t environment = 0;
  std::optional<std::size_t> after = {};        // an earlier stage of the list, of the same environment
  double waiting_seconds = 0;                   // first: it takes no slot (an image is fetched)
  double alone_seconds = 0;                     // then: it takes one slot
  std::vector<SimulatedPackage> packages = {};  // then: in make's order
  std::uint64_t memory = 0;
  bool is_first = false;  // as in Task

  // Seconds of slots.
  double work() const;
  // Seconds that it takes with any number of slots.
  double longest_path() const;
  // Seconds that it takes with so many slots (at least 1) for itself, built as simulate() builds it.
  double seconds_with(unsigned slots) const;
};

// All of the same kind. An environment is built on one of them: its images are there.
struct SimulatedMachines {
  unsigned machines = 1;
  unsigned slots = 1;    // of each; at least 1
  unsigned at_once = 1;  // stages on each; at least 1
  std::uint64_t memory = 0;
};

enum class SimulatedOrder { LongestFirst, FirstCome };

struct Simulated {
  double makespan = 0;            // seconds until all is done
  double longest_path = 0;        // of one environment with any number of slots
  double work = 0;                // seconds of slots
  std::vector<double> ends = {};  // of each stage
  unsigned slots = 1;             // of all machines

  // No order of anything takes less.
  double lower_bound() const;
  // The part of all slots' time that is used.
  double efficiency() const;
};

Simulated simulate(const std::vector<SimulatedStage>& stages, const SimulatedMachines& machines,
                   SimulatedOrder order = SimulatedOrder::LongestFirst);

// The tasks that stages are to a Dispatcher.
std::vector<Task> tasks_of(const std::vector<SimulatedStage>& stages);

}  // namespace stagemake
