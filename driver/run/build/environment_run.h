// One environment of a run: its decisions, its stages, and what they share.
//
// Thread rule: the flow's threads run its stages. Its decisions change only while its start is resolved,
// which is before any of its stages continues.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "run/build/remaining.h"
#include "run/build/run_context.h"
#include "run/build/stage_run.h"
#include "run/container/build_container.h"
#include "run/control/flow_executor.h"
#include "schedule/estimate.h"

namespace stagemake {

class EnvironmentRun {
 public:
  // `build` must outlive it. `index`: its position in the run. `donor`: the environment that makes the stages
  // that this one starts with, up to `shared`; null if there is none.
  EnvironmentRun(Hosts& hosts, EnvironmentBuild& build, std::size_t index, const EnvironmentRun* donor,
                 std::size_t shared);
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
  // Where it is built now.
  const RunContext& here() const { return *here_; }
  const ContainerSetting& setting() const { return settings_.back(); }
  const EnvironmentRun* donor() const { return donor_; }
  std::size_t shared() const { return shared_; }

  // The flow that runs its stages. Call it before any of them runs.
  void set_flow(FlowExecutor& flow) { flow_ = &flow; }
  // Each stage calls both around its step. begin_step() brings the environment to the host of the step, and
  // fetches and checks the images that its stages start from, once; other stages wait for that. False: it has
  // left its host, and the step has nothing to do until all its stages begin again.
  bool begin_step(std::optional<std::size_t> host, std::size_t stage);
  void end_step(std::size_t stage) noexcept;
  // Work on it has failed because of its host: everything begins again elsewhere, or there when it is back.
  // False if that is not possible: there is only one machine, the run ends, or it was tried too often.
  // If the host works, it is not tried there for ever: `excludes` says that once was enough.
  bool leave_host(const std::string& why, bool excludes = false);
  bool has_left_host() const { return has_left_; }

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
  void fail_without_host(std::size_t stage);
  void move_to(std::size_t host);
  void decide_here();
  void take_share();
  bool lacks_ended_stages() const;

  Hosts& hosts_;
  std::atomic<const RunContext*> here_;
  FlowExecutor* flow_ = nullptr;
  EnvironmentBuild& build_;
  const std::size_t index_;
  const EnvironmentRun* const donor_;
  const std::size_t shared_;
  std::deque<ContainerSetting> settings_;  // one for each host that it came to; containers refer to theirs
  std::deque<StageRun> stages_;
  std::recursive_mutex resolving_;  // guards the following, and decisions
  bool is_resolved_ = false;        // on this host, in this pass
  bool is_decided_here_ = true;     // its decisions are for this host, and for what exists now
  std::vector<bool> has_ended_;     // by stage: in this pass
  std::size_t steps_ = 0;           // in each pass
  std::size_t steps_left_ = 0;      // in this pass
  unsigned times_left_ = 0;         // how often it has left a host
  std::atomic<bool> has_left_ = false;
  std::vector<std::string> refusals_;         // of hosts, for people
  std::map<std::size_t, unsigned> failures_;  // on hosts that work
  bool has_share_ = false;                    // the value of MAKE is its share of a host
  std::mutex mutex_;                          // guards the setting's base image until a container is made
};

}  // namespace stagemake
