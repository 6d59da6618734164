// One run of several builds: the state of every stage, and the one place where it changes. Private to
// build*.cc: the flow (build.cc), settling where an environment begins (build_settle.cc), running a stage
// (build_stage.cc), what the machine bears (build_limits.cc).
//
// Thread rule: steps come from the flow's threads. An environment's decisions change only while it settles,
// before any of its steps goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "report/isolated_reporter.h"
#include "run/build.h"
#include "run/flow_executor.h"
#include "run/ladder.h"
#include "run/outlook.h"
#include "run/remaining.h"
#include "run/workplace.h"

namespace stagemake {

class BuildRun {
 public:
  BuildRun(const BuildWorld& world, std::vector<EnvironmentBuild>& builds, const BuildOptions& options,
           Reporter& reporter);
  BuildResult run();

 private:
  using Clock = std::chrono::steady_clock;
  using Position = std::pair<std::size_t, std::size_t>;  // environment and stage

  // build.cc
  void note_networks();
  void note_proxies();
  void note_closed_host();
  std::vector<FlowStep> steps();
  unsigned predicted_slots() const;
  void tell_expected(std::size_t e, std::size_t s, bool in_detail);
  void expect_after_configure(std::size_t e, std::size_t s,
                              const std::optional<ConfiguredPackages>& configured);
  void change(std::size_t e, std::size_t s, StageStatus status);
  StageStatus status(std::size_t e, std::size_t s);
  void step(std::size_t e, std::size_t s);
  void take_step(std::size_t e, std::size_t s);
  std::string reason_to_skip(std::size_t e, std::size_t s);
  void save_open(std::size_t e, std::size_t s);
  std::vector<std::string> names_of_stage(std::size_t e, std::size_t s, const std::string& repository) const;
  void name_reused(std::size_t e, std::size_t s);
  std::optional<RemainingWork> remaining(std::size_t e) const;
  void note_remaining();
  // Gives an image a name, unless somebody else's image has it.
  void give_name(const std::string& image, const std::string& name);
  void note_name_left(const std::string& name);
  void name_held(std::size_t e, std::size_t s, const std::string& image);
  // `bytes`: of the image; 0: not known.
  // `required`: what cannot be pushed counts as failed.
  void push(std::size_t e, std::size_t s, const std::string& image, bool complete, std::uint64_t bytes,
            bool required = true);
  void failed(bool BuildResult::*kind);

  // build_limits.cc
  void complete(MachineSample& sample);
  void look_at_memory();
  void note_lack_of_memory();
  std::optional<fs::path> storage_folder();
  std::uint64_t predicted_bytes(std::size_t e, std::size_t s) const;
  std::string take_room(std::size_t e, std::size_t s, std::uint64_t& needed);

  // build_settle.cc
  void settle(std::size_t e);
  void take_shared(std::size_t e);
  // An image that cannot be used after all, and why; null where all can.
  struct Refused {
    const Snapshot* snapshot = nullptr;
    std::string why;
  };
  Refused refuse(const Snapshot& snapshot, const std::string& why);
  Refused bring_starts(std::size_t e);
  Refused bring_start(std::size_t e, std::size_t s);
  const Snapshot* fetched(std::size_t e, const Snapshot& remote, std::string& why);
  // Pulls an image, on several attempts where another may do better; `bytes`: about how much, 0: not known.
  Transfer pull(const std::string& image, std::uint64_t bytes);
  void decide_again(std::size_t e);
  void check_strict(std::size_t e);
  const Snapshot* keep(Snapshot snapshot);
  void bring_base_image(std::size_t e);

  // build_checkpoint.cc
  // A stage's last checkpoint.
  struct Checkpoints {
    std::string image = {};                // id; empty: there is none
    std::uint64_t bytes = 0;               // of its own
    std::vector<std::string> to_go = {};   // ids of earlier ones that were in use
    bool told_no_room = false;
  };
  bool may_checkpoint(std::size_t e, std::size_t s);
  void checkpointed(std::size_t e, std::size_t s, const Checkpoint& checkpoint, std::uint64_t size_before);
  void take_partial_name(std::size_t e, std::size_t s, const Checkpoint& checkpoint, std::uint64_t bytes);
  std::vector<std::string> partial_names(std::size_t e, std::size_t s) const;
  void remove_nameless(std::size_t e, std::size_t s, Checkpoints& checkpoints);
  void drop_checkpoints(std::size_t e, std::size_t s, bool complete) noexcept;
  void drop_checkpoint(std::size_t e, std::size_t s, bool complete) noexcept;

  // build_stage.cc
  void build_stage(std::size_t e, std::size_t s);
  std::shared_ptr<Workplace> workplace(std::size_t e, std::size_t s);
  std::string bring_times(std::size_t e, const std::string& image, Workplace& place);
  bool was_set_back() const;
  // A stage that runs or has run, and all that must be known of it when something is thrown.
  struct Ran {
    std::size_t e = 0, s = 0;
    double began = 0;  // seconds since the epoch
    std::string log = {};
    std::shared_ptr<Workplace> place = {};
    std::string image = {};                               // committed of it; empty: none
    bool could_not_commit = false;                        // it was tried
    std::map<std::string, InstalledPackage> before = {};  // what was installed
    RunOutcome outcome = {};
    StopReason reason = StopReason::None;
    double seconds = 0;
    std::uint64_t memory = 0;  // bytes at most, as far as it was looked at
    std::string missing = {};  // what must exist after it and does not, in words
  };
  class Running;
  void run_in(Workplace& place, Ran& ran, Ladder& ladder);
  void run_stage(Ran& ran);
  void check_left(Ran& ran);
  void built(Ran& ran);
  void not_built(Ran& ran);
  void not_begun(Ran& ran);
  void escaped(Ran& ran) noexcept;
  std::string save_escaped(Ran& ran, std::string& image);
  std::string where_it_stays(const Ran& ran) const;
  std::optional<StageTimes> times(std::size_t e, std::size_t s) const;
  // Room that a stage is predicted to need, kept for it as long as it runs.
  class Room;
  void note_missing_packages(const Ran& ran);
  void note_make_of_its_own(const Ran& ran);
  void write_journal(const Ran& ran, const Snapshot* image, double commit_seconds) noexcept;
  void add_to_journal(const Ran& ran, const Snapshot* image, double commit_seconds);
  // The image as its labels tell it, looked up once; null where none was made.
  const Snapshot* made(std::size_t e, std::size_t s, const std::string& image);
  std::string commit(Ran& ran, bool complete);
  bool is_left_open(std::size_t e, std::size_t s) const;
  bool network_changes_after(std::size_t e, std::size_t s) const;
  bool is_committed(std::size_t e, std::size_t s) const;
  bool in_older(std::size_t e, std::size_t s) const;
  std::string start_text(std::size_t e, std::size_t s) const;

  const BuildWorld& world_;
  std::vector<EnvironmentBuild>& builds_;
  const BuildOptions& options_;
  IsolatedReporter reporter_;  // a reporter that throws does not end the run
  const unsigned at_once_;     // stages
  Heartbeat heartbeat_;        // goes after all containers
  std::mutex mutex_;  // of result_, fresh_snapshots_, last_notes_, names_left_, running_, simulated_ and reserved_
  BuildResult result_;
  std::vector<std::unique_ptr<Snapshot>> fresh_snapshots_;
  struct RunningStage {
    const Workplace* place = nullptr;
    std::uint64_t memory = 0;       // bytes that it holds
    std::uint64_t most_memory = 0;  // that it held so far
  };
  std::map<Position, RunningStage> running_;
  std::map<Position, Checkpoints> checkpoints_;  // of stages that run; changed by one thread at a time for each
  std::uint64_t reserved_ = 0;           // bytes that stages that run are predicted to need
  std::set<std::string> names_left_;     // that were told of
  std::vector<std::string> last_notes_;  // told when all has ended
  FlowExecutor* flow_ = nullptr;         // while it runs
  std::map<Position, std::size_t> step_of_;
  std::map<Position, SimulatedStage> simulated_;  // what is known of stages that are to be built
  bool told_lack_of_memory_ = false;
  std::vector<WorkplaceSetting> settings_;  // one per environment
  std::vector<std::unique_ptr<std::once_flag>> settled_;
  std::vector<std::optional<SharedStages>> shared_;  // per environment
  // Per environment and stage: left open for the next; and made, but nothing has run in them.
  std::vector<std::vector<std::shared_ptr<Workplace>>> workplaces_;
  std::vector<std::vector<std::shared_ptr<Workplace>>> starts_;
  std::vector<std::vector<const Snapshot*>> made_;  // per environment and stage: the images of this run
  std::vector<std::vector<std::optional<RecordMarks>>> records_;  // of the records in them, where known
  // By the run's clock, and by that of the engine's machine, which may be set back meanwhile.
  double began_ = 0, began_there_ = 0;
  std::once_flag asked_storage_;
  std::optional<fs::path> storage_;  // where the engine keeps images, if here
  std::atomic<bool> failed_{false};
};

}  // namespace stagemake
