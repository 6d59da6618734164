// What happens in a run, as values. run/ makes them, reporters show them; neither knows the other.
//
// Durations are seconds. Positions of environments and stages are those in the list that a run begins with.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/log_scan.h"

namespace stagemake {

//                      ┌──────────► Skipped (a stage before it did not end well, or the run was stopped)
//   Waiting ───────────┼──────────► Reused  (an image holds it)
//                      └─► Running ─► Built | Failed | Interrupted
//   NotWanted: the run ends before it.
enum class StageState { NotWanted, Waiting, Reused, Running, Built, Failed, Interrupted, Skipped };

std::string_view word(StageState state);
// The other way; nothing where no state is called so.
std::optional<StageState> stage_state(std::string_view word);
inline bool did_run(StageState state) {
  return state == StageState::Built || state == StageState::Failed || state == StageState::Interrupted;
}

struct StageStatus {
  StageState state = StageState::Waiting;
  double seconds = 0;        // that it ran
  std::string detail;        // reused or built: the image; running: from what; failed: why
  std::string log;           // path of its full log; empty where it never ran
  std::string image;         // the image kept of it, also of a failure; empty where there is none
  std::uint64_t memory = 0;  // bytes that what ran in it held at most; 0: not looked at
  std::vector<LogFinding> findings = {};  // what its log says went wrong, the worst first
};

// A package that a stage is going to make.
struct ExpectedPackage {
  std::string name = {};
  double seconds = 0;                    // predicted
  std::vector<std::size_t> needs = {};   // earlier ones of the same stage, by position
};

// What is predicted of a stage, by its packages, what they need, and the job slots of the run.
struct StageExpectation {
  double seconds = 0;                     // with all job slots for itself; 0: nothing is to be done
  double work = 0;                        // seconds of job slots; 0: not known
  std::size_t packages = 0;               // that it makes; at most, before configure has run
  std::vector<std::string> reasons = {};  // why it is built, a line each; empty where it is not
  // Those packages, in an order in which make could make them. Empty until the stage begins.
  std::vector<ExpectedPackage> makes = {};
};

struct EnvironmentStatus {
  std::string name;
  std::vector<std::string> stage_names;
  std::vector<StageStatus> stages;              // as many as names
  std::vector<StageExpectation> expected = {};  // as many, or none where nothing is known
};

// A package in a stage.
// Refused: not begun, for want of time. Interrupted: its stage ended before it.
enum class PackageState { Building, Built, Failed, Refused, Interrupted };
std::string_view word(PackageState state);
std::optional<PackageState> package_state(std::string_view word);

struct PackageStatus {
  std::string name;
  PackageState state = PackageState::Building;
};

// How the machine does while a run goes on.
struct MachineSample {
  double busy = 0;          // of all processors, 0 … 1, since the sample before
  double memory = 0;        // in use, 0 … 1
  unsigned slots_used = 0;  // job slots that containers have; 0 where there is no pool
  unsigned slots = 0;       // of the pool; 0: there is none
  std::uint64_t free = 0;   // bytes where the engine keeps images; 0: not known
  struct StageUse {
    std::size_t environment = 0, stage = 0;
    unsigned slots = 0;        // job slots that it has; 0 where there is no pool
    std::uint64_t memory = 0;  // bytes that it holds; 0: not known
  };
  std::vector<StageUse> stages = {};  // that run
};

// How long a run took.
struct RunSeconds {
  double all = 0;
  double pushing = 0;  // of these, after its last stage, while images were still on their way to a registry
};
// "27 s, 26.8 s of it pushing".
std::string run_seconds_text(const RunSeconds& seconds);

class Reporter {
 public:
  virtual ~Reporter() = default;
  // All calls may come from any thread; an implementation locks. `all` is the run as it is now.
  virtual void begins(const std::vector<EnvironmentStatus>& all) = 0;
  // Stage `stage` of environment `environment` just changed its state.
  virtual void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
                       std::size_t stage) = 0;
  // What is expected of a stage is known better: its predecessors ended, or it begins.
  virtual void expected(std::size_t environment, std::size_t stage, const StageExpectation& expectation) {
    (void)environment, (void)stage, (void)expectation;
  }
  // A package of a running stage has begun or ended.
  virtual void package(std::size_t environment, std::size_t stage, const PackageStatus& package) {
    (void)environment, (void)stage, (void)package;
  }
  // What a stage prints, piece by piece, as it comes. All of it is in the stage's log, too.
  virtual void printed(const std::string& environment, const std::string& stage, std::string_view piece) {
    (void)environment, (void)stage, (void)piece;
  }
  virtual void sampled(const MachineSample& sample) { (void)sample; }
  // Before it begins: what it will take, in a line for a person, and in seconds.
  virtual void expects(const std::string& text, double seconds) {
    (void)seconds;
    note(text);
  }
  // Something a person should know that is no stage's state.
  virtual void note(const std::string& text) = 0;
  // All is done, what was to be pushed is pushed or given up.
  virtual void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) = 0;
};

}  // namespace stagemake
