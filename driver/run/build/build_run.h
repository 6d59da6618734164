// A run of several builds: makes their flow, runs it, and reports what it came to.
#pragma once

#include <deque>
#include <vector>

#include "run/build/environment_run.h"
#include "run/build/hosts.h"
#include "run/build/run_context.h"

namespace stagemake {

class BuildRun {
 public:
  // All arguments must outlive it.
  BuildRun(const BuildWorld& world, std::vector<EnvironmentBuild>& builds, const BuildOptions& options,
           Reporter& reporter);
  // Call it once.
  BuildResult run();

 private:
  std::vector<FlowStep> steps();
  void note_networks(const RunContext& host);
  void note_proxies();
  void note_closed_host();
  void note_remaining();

  std::vector<EnvironmentBuild>& builds_;
  RunProgress progress_;
  Hosts hosts_;            // destroyed after all containers
  const RunContext& run_;  // of the first host
  std::deque<EnvironmentRun> environments_;
};

}  // namespace stagemake
