// One environment of a run: its decisions, its stages, and what they share.
//
// Thread rule: the flow's threads run its stages. Its decisions change only while its start is resolved,
// which is before any of its stages continues.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "run/build/remaining.h"
#include "run/build/run_context.h"
#include "run/build/stage_run.h"
#include "run/container/build_container.h"
#include "schedule/estimate.h"

namespace stagemake {

class EnvironmentRun {
 public:
  // `build` must outlive it. `index`: its position in the run. `donor`: the environment that makes the stages
  // that this one starts with, up to `shared`; null if there is none.
  EnvironmentRun(const RunContext& run, EnvironmentBuild& build, std::size_t index,
                 const EnvironmentRun* donor, std::size_t shared);
  EnvironmentRun(const EnvironmentRun&) = delete;
  EnvironmentRun& operator=(const EnvironmentRun&) = delete;

  const std::string& name() const { return build_.plan.environment.name; }
  std::size_t index() const { return index_; }
  EnvironmentBuild& build() { return build_; }
  const EnvironmentBuild& build() const { return build_; }
  const StagePlan& plan() const { return build_.plan; }
  std::size_t size() const { return stages_.size(); }
  StageRun& stage(std::size_t s) { return stages_[s]; }
  const StageRun& stage(std::size_t s) const { return stages_[s]; }
  const ContainerSetting& setting() const { return setting_; }
  const EnvironmentRun* donor() const { return donor_; }
  std::size_t shared() const { return shared_; }

  // Fetches and checks the images that its stages start from, once. Its stages wait for that.
  void resolve_start();

  // Pulls the base image unless it is on this machine. Throws Error if it cannot be used.
  void bring_base_image();
  // Pulls an image, with several attempts if another may succeed. `bytes`: approximate size; 0: not known.
  Transfer pull(const std::string& image, std::uint64_t bytes);
  // Moves file times of the future in the image of a container to the present. Returns why that fails; empty
  // if it worked.
  std::string bring_times(const std::string& image, BuildContainer& container);

  // From here on, the packages that stages after `configuring` make are known exactly.
  void expect_after_configure(std::size_t configuring, const std::optional<ConfiguredPackages>& configured);

  // What is done, what remains, and how long that will take; nothing if all is done. For the end of the run.
  std::optional<RemainingWork> remaining() const;

 private:
  std::string way_out(const std::string& image) const;

  const RunContext& run_;
  EnvironmentBuild& build_;
  const std::size_t index_;
  const EnvironmentRun* const donor_;
  const std::size_t shared_;
  ContainerSetting setting_;
  std::deque<StageRun> stages_;
  std::once_flag resolved_;
  std::mutex mutex_;  // guards setting_'s base image until a container is made
};

}  // namespace stagemake
