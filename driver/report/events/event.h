// The events of a run, as values. run/ creates them and reporters show them; neither knows the other.
//
// Durations are seconds.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "report/log/log_scan.h"

namespace stagemake {

//                      ┌──────────► Skipped (a stage before it did not succeed, or the run was stopped)
//   Waiting ───────────┼──────────► Reused  (an image holds it)
//                      └─► Running ─► Built | Failed | Interrupted
//   NotWanted: the run ends before it.
enum class StageState { NotWanted, Waiting, Reused, Running, Built, Failed, Interrupted, Skipped };

std::string_view word(StageState state);
// The reverse; nothing if there is no such state.
std::optional<StageState> stage_state(std::string_view word);
inline bool did_run(StageState state) {
  return state == StageState::Built || state == StageState::Failed || state == StageState::Interrupted;
}

// A stage of a run: positions in the list of environments that the run begins with, and in its stages.
struct StageAddress {
  std::size_t environment = 0;
  std::size_t stage = 0;

  auto operator<=>(const StageAddress&) const = default;
};

struct StageStatus {
  StageState state = StageState::Waiting;
  double seconds = 0;        // time that it ran
  std::string detail;        // reused or built: the image; running: what it started from; failed: why
  std::string log;           // path of its full log; empty if it never ran
  std::string image;         // the image kept of it, also after a failure; empty if there is none
  std::uint64_t memory = 0;  // peak memory of its processes in bytes; 0: not measured
  std::vector<LogFinding> findings = {};  // errors found in its log, worst first
  std::string host = {};  // where it ran or runs, of several docker hosts; empty if there is only one engine
};

// A package that a stage will build.
struct ExpectedPackage {
  std::string name = {};
  double seconds = 0;                   // predicted
  std::vector<std::size_t> needs = {};  // positions of earlier packages of the same stage
};

// The prediction for a stage, from its packages, their dependencies and the run's job slots.
struct StageExpectation {
  double seconds = 0;                     // if it has all job slots; 0: nothing to do
  double work = 0;                        // seconds of job slots; 0: not known
  std::size_t packages = 0;               // to build; an upper bound before configure has run
  std::vector<std::string> reasons = {};  // why it is built, one per line; empty if it is not
  // Those packages, in an order in which make could build them. Empty until the stage begins.
  std::vector<ExpectedPackage> makes = {};
};

struct EnvironmentStatus {
  std::string name;
  std::vector<std::string> stage_names;
  std::vector<StageStatus> stages;              // as many as names
  std::vector<StageExpectation> expected = {};  // the same number, or empty if nothing is known
};

// A package in a stage. Refused: not started for lack of time. Interrupted: its stage ended first.
enum class PackageState { Building, Built, Failed, Refused, Interrupted };
std::string_view word(PackageState state);
std::optional<PackageState> package_state(std::string_view word);

struct PackageStatus {
  std::string name;
  PackageState state = PackageState::Building;
};

// The lines of an event log (report/events/event_log.h).
enum class EventKind { Run, Outlook, Begin, Expected, Stage, Package, Note, Machine, Lost, End, Exit };
std::string_view word(EventKind kind);
std::optional<EventKind> event_kind(std::string_view word);
inline constexpr std::size_t kEventKinds = static_cast<std::size_t>(EventKind::Exit) + 1;

// The machine's load during a run.
struct MachineSample {
  double busy = 0;          // all processors, 0 … 1, since the previous sample
  double memory = 0;        // in use, 0 … 1
  unsigned slots_used = 0;  // job slots in use by containers; 0 if there is no pool
  unsigned slots = 0;       // in the pool; 0: there is none
  std::uint64_t free = 0;   // free bytes where the engine keeps images; 0: unknown
  struct StageUse {
    StageAddress at = {};
    unsigned slots = 0;        // job slots in use; 0 if there is no pool
    std::uint64_t memory = 0;  // bytes in use; 0: unknown
  };
  std::vector<StageUse> stages = {};  // running ones
};

// How long a run took.
struct RunSeconds {
  double all = 0;
  double pushing = 0;  // the part after the last stage, while images were still being pushed
};
// "27 s, 26.8 s of it pushing".
std::string run_seconds_text(const RunSeconds& seconds);

class Reporter {
 public:
  virtual ~Reporter() = default;
  // All calls may come from any thread; implementations lock. `all` is the current state of the run.
  virtual void begins(const std::vector<EnvironmentStatus>& all) = 0;
  // A stage has just changed its state.
  virtual void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) = 0;
  // There is a better prediction for a stage: its predecessors have ended, or it begins.
  virtual void expected(StageAddress at, const StageExpectation& expectation) { (void)at, (void)expectation; }
  // A package of a running stage has begun or ended.
  virtual void package(StageAddress at, const PackageStatus& package) { (void)at, (void)package; }
  // Output of a stage, piece by piece as it arrives. All of it is also in the stage's log.
  virtual void printed(StageAddress at, std::string_view piece) { (void)at, (void)piece; }
  virtual void sampled(const MachineSample& sample) { (void)sample; }
  // Before the run begins: the predicted time, as a line for a person and in seconds.
  virtual void expects(const std::string& text, double seconds) {
    (void)seconds;
    note(text);
  }
  // A message for the user that is not about a stage's state.
  virtual void note(const std::string& text) = 0;
  // All is done; pushes have finished or were given up.
  virtual void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) = 0;
};

}  // namespace stagemake
