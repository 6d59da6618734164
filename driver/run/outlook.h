// What the builds of a command will take, all of them together: the tasks in which they begin, and their
// simulation.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/forecast.h"
#include "plan/simulation.h"
#include "run/build.h"

namespace stagemake {

// One per stage that is wanted, by environment and in the order of its plan; reused ones take nothing.
struct OutlookStage {
  std::size_t build = 0;  // position in `builds`
  std::size_t stage = 0;  // in its plan
  StageForecast forecast;
};

struct Outlook {
  std::vector<OutlookStage> stages;
  std::vector<SimulatedStage> simulated;  // stages[i] as simulate() takes it
};

Outlook outlook_of(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds);

// What is to be expected of each stage of one environment after `configuring`, which decided so. Only stages
// that are built count; the others are left empty.
std::vector<SimulatedStage> stages_after(const BuildWorld& world, const EnvironmentBuild& build,
                                         std::size_t configuring, const ConfiguredPackages& configured);

// With so many job slots. Packages are known by name; with `in_detail`, each has its own entry.
StageExpectation expectation_of(const SimulatedStage& stage, const PackageIndex& packages, unsigned slots,
                                bool in_detail);

// Where another build makes the very stages that this one begins with (the same base image and system
// packages): they are made once.
struct SharedStages {
  std::size_t build = 0;  // an earlier one, which makes them
  std::size_t stage = 0;  // the last of them
};
std::optional<SharedStages> shared_stages(const std::vector<EnvironmentBuild>& builds, std::size_t build);

struct OutlookSums {
  std::size_t environments = 0;
  std::size_t built = 0, reused = 0, shared = 0;  // stages
  std::size_t packages = 0;                       // that are built
  std::size_t guessed = 0;                        // of these: nobody has built them on any system yet
  bool is_exact = true;                           // false: there may be fewer packages
  std::size_t fetches = 0;
  std::uint64_t fetch_bytes = 0;
  double processor_seconds = 0;
};
OutlookSums sums_of(const BuildWorld& world, const Outlook& outlook,
                    const std::vector<EnvironmentBuild>& builds);

// "3 environments: 12 stages to build, 9 reused; …": one line for a person. `seconds`: until all is done.
std::string outlook_text(const OutlookSums& sums, double seconds);

}  // namespace stagemake
