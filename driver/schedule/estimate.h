// What all environments of a command will take together: their tasks, and the simulation of these tasks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schedule/predictions.h"
#include "schedule/simulation.h"
#include "schedule/stage_estimate.h"

namespace stagemake {

// An environment to build, as decided before anything runs.
struct DecidedEnvironment {
  StagePlan plan;
  RestoreOptions restore;  // with the targets
  std::vector<StageDecision> decisions;
  // What containers are made from: the environment's base image, or its old content.
  std::string base_image;
  bool is_first = false;  // more urgent than those that are not
};
using DecidedEnvironments = std::vector<const DecidedEnvironment*>;

// What all environments of a command share. Must outlive the calls.
struct EstimateBasis {
  DependencyGraphs& graphs;
  const Predictions& predictions;
  // Names of the docker hosts that build, if there are several. The first has the images that the decisions
  // take as local.
  std::vector<std::string> hosts = {};

  const PackageIndex& packages() const { return graphs.packages(); }
};

// One per wanted stage, by environment and in the order of its plan; reused ones take no time.
struct EstimatedStage {
  std::size_t environment = 0;  // index in `environments`
  std::size_t stage = 0;        // in its plan
  StageEstimate estimate;
};

struct Estimate {
  std::vector<EstimatedStage> stages;
  std::vector<SimulatedStage> simulated;  // stages[i] in the form that simulate() takes
};

Estimate estimate_of(const EstimateBasis& basis, const DecidedEnvironments& environments);

// The expected stages of one environment after `configuring` has decided on `configured`. Only stages to
// build are filled in; the others are left empty.
std::vector<SimulatedStage> stages_after(const EstimateBasis& basis, const DecidedEnvironment& environment,
                                         std::size_t configuring, const ConfiguredPackages& configured);

// If another environment makes the same stages that this one starts with (same base image and system
// packages), they are made only once.
struct SharedStages {
  std::size_t environment = 0;  // an earlier one, which makes them
  std::size_t stage = 0;        // the last of them
};
std::optional<SharedStages> shared_stages(const DecidedEnvironments& environments, std::size_t environment);

struct EstimateSums {
  std::size_t environments = 0;
  std::size_t built = 0, reused = 0, shared = 0;  // stages
  std::size_t packages = 0;                       // to build
  std::size_t guessed = 0;                        // of these: never built on any system yet
  std::size_t guessed_stages = 0;                 // of `built`: those without packages that were never built
  bool is_exact = true;                           // false: there may be fewer packages
  std::size_t fetches = 0;
  std::uint64_t fetch_bytes = 0;
  double processor_seconds = 0;
  double guessed_seconds = 0;  // of these, for guessed packages and stages
};
EstimateSums sums_of(const EstimateBasis& basis, const Estimate& estimate,
                     const DecidedEnvironments& environments);

// "3 environments: 12 stages to build, 9 reused; …": one line for people. `seconds`: until everything is
// done.
std::string estimate_text(const EstimateSums& sums, double seconds);

// "2 h 10 min; of 3 h 05 min of processor time, 35 min are guesses (12 packages were never measured)": how
// long, and how far to trust it. Empty if nothing takes time.
std::string prediction_text(const EstimateSums& sums, double seconds);

}  // namespace stagemake
