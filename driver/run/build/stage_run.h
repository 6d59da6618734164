// One stage of an environment in a run: its container, its limits, its image, and what is reported and
// remembered of it.
//
// Thread rule: one thread of the flow at a time.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "run/build/run_context.h"
#include "run/build/stage_checkpoints.h"
#include "run/container/build_container.h"
#include "run/control/stop_escalation.h"
#include "schedule/simulation.h"

namespace stagemake {

class EnvironmentRun;

class StageRun {
 public:
  // `index`: its position in the plan. All arguments must outlive it.
  StageRun(EnvironmentRun& environment, std::size_t index);
  StageRun(const StageRun&) = delete;
  StageRun& operator=(const StageRun&) = delete;

  StageAddress address() const;
  const std::string& name() const;
  const PlannedStage& plan() const;
  StageDecision& decision();
  const StageDecision& decision() const;
  StageRun* parent();
  StageStatus status() const { return here().progress.status(address()); }
  void change(StageStatus status);

  // Its position in the flow and what is expected of it. Call it before the run begins.
  void plan_step(std::size_t step, SimulatedStage estimate);
  // Replaces the expectation of a stage that waits; reports it.
  void expect(SimulatedStage estimate);

  // Its step in the flow: brings the environment to the host and resolves its start, then reuses, skips or
  // builds it. An exception fails only this stage. `host`: nothing if none is left for it.
  void step(std::optional<std::size_t> host);
  // If its container was left open for the next stage, which does not run: the work gets an image after all.
  void save_open();

  // The image of this run as its labels describe it; null if none was made.
  SnapshotPtr made() const;

  // The container made while the start was resolved; nothing has run in it.
  bool has_start() const { return start_ != nullptr; }
  void set_start(std::shared_ptr<BuildContainer> container) { start_ = std::move(container); }
  // The environment is on another host, or everything begins again: its containers and images count no more.
  // (A container with unsaved work stays where it is.)
  void forget();

 private:
  // The stage as it runs or has run: everything that must be known of it if an exception is thrown.
  struct Attempt {
    double began = 0;  // seconds since the epoch
    std::string log = {};
    std::shared_ptr<BuildContainer> container = {};
    std::string image = {};                               // committed from it; empty: none
    bool could_not_commit = false;                        // a commit was attempted
    std::map<std::string, InstalledPackage> before = {};  // packages installed before it
    RunOutcome outcome = {};
    StopReason reason = StopReason::None;
    double seconds = 0;
    std::uint64_t memory = 0;  // bytes at most, as measured
    std::string missing = {};  // what must exist after the stage and does not, in words
  };

  const RunContext& here() const;
  void take_step();
  bool leave_host(Attempt& attempt) noexcept;
  std::string reason_to_skip();
  void reuse();

  void build();
  std::string start_text() const;
  std::shared_ptr<BuildContainer> open_container();
  void run(Attempt& attempt);
  void run_inside(Attempt& attempt, StopEscalation& escalation);
  std::map<std::string, double> known_package_seconds() const;
  void check_results(Attempt& attempt);
  void built(Attempt& attempt);
  void not_begun(Attempt& attempt);
  void not_built(Attempt& attempt);
  void escaped(Attempt& attempt) noexcept;
  std::string save_escaped(Attempt& attempt, std::string& image);
  std::string where_it_stays(const Attempt& attempt) const;
  void note_missing_packages(const Attempt& attempt);
  void note_make_of_its_own(const Attempt& attempt);
  void write_journal(const Attempt& attempt, const SnapshotPtr& image, double commit_seconds) noexcept;
  void add_to_journal(const Attempt& attempt, const SnapshotPtr& image, double commit_seconds);

  std::string commit(Attempt& attempt, bool complete);
  SnapshotPtr look_up(const std::string& image);
  void name_held(const std::string& image);
  void drop_checkpoints(bool complete) noexcept;

  std::optional<StageTimes> times() const;
  std::uint64_t predicted_bytes() const;
  void tell_expected(bool in_detail);
  Network network() const;
  bool is_child_in_container(const StageRun& child) const;
  bool is_left_open() const;
  bool network_changes_after() const;
  bool is_committed() const;
  bool in_older() const;

  EnvironmentRun& environment_;
  const std::size_t index_;
  std::size_t step_ = 0;
  std::mutex estimate_mutex_;                    // guards estimate_
  std::optional<SimulatedStage> estimate_;       // of a stage to build
  std::optional<StageCheckpoints> checkpoints_;  // on its host
  std::shared_ptr<BuildContainer> start_;
  std::shared_ptr<BuildContainer> open_;  // left open for the next stage
  mutable std::mutex made_mutex_;         // guards made_: other environments may share it
  SnapshotPtr made_;
  std::optional<RecordMarks> records_;  // of the records in it, if known
};

}  // namespace stagemake
