// A run as it was, or as it is so far, for reporters that show whole runs. Built from the events of a running
// build, or from the file that the event log wrote (report/events/event_log.h).
//
// Times are seconds since the epoch, durations are seconds; 0: it has not happened, or is unknown.
#pragma once

#include <string>
#include <vector>

#include "report/events/event.h"

namespace stagemake {

// One of several docker hosts of a run.
struct HostFacts {
  std::string name = {};
  std::string place = {};    // "ssh://builder1"; without secrets
  unsigned slots = 0;        // job slots
  unsigned at_once = 0;      // stages
  std::uint64_t memory = 0;  // bytes for stages; 0: no limit
  std::string problem = {};  // why it could not be used when the run began; empty: it could
};

// What does not change during a run.
struct RunFacts {
  std::string version = {};       // of stagemake
  std::string distribution = {};  // "sage"
  std::string tree = {};          // its path
  std::string revision = {};      // of the sources, as git describes it; empty if there is no git
  std::string engine = {};        // "docker"
  std::string machine = {};       // host name
  std::vector<std::string> command = {};
  long process = 0;
  unsigned processors = 0;
  unsigned at_once = 0;               // stages
  unsigned slots = 0;                 // job slots assumed by predictions; 0: unknown
  std::vector<HostFacts> hosts = {};  // empty: one engine
};

struct PackageRecord {
  std::string name = {};
  PackageState state = PackageState::Building;
  double began = 0;  // 0: refused
  double ended = 0;
};

struct StageRecord {
  std::string name = {};
  StageStatus status = {};
  StageExpectation expected = {};
  double began = 0;
  double ended = 0;
  std::vector<PackageRecord> packages = {};  // in the order of their beginning
};

struct EnvironmentRecord {
  std::string name = {};
  std::vector<StageRecord> stages = {};
};

struct RunRecord {
  struct Note {
    double time = 0;
    std::string text = {};
  };
  struct Sample {
    double time = 0;
    MachineSample machine = {};
  };

  RunFacts facts = {};
  double began = 0;
  double expected_seconds = 0;  // predicted time of the whole run, at its beginning
  // The same, as the larger of the two bounds in report/terminal/time_left.h. The difference comes from
  // stages that wait for each other.
  double expected_bound = 0;
  double ended = 0;                     // 0: still running, or died
  double pushing = 0;                   // seconds before the end with pushes only
  double last_event = 0;                // when it was last heard of
  std::optional<int> exit_status = {};  // of the command; nothing until its end
  std::vector<EnvironmentRecord> environments = {};
  std::vector<Note> notes = {};
  std::vector<Sample> samples = {};

  bool has_begun() const { return !environments.empty(); }
  // Until its end, or so far.
  double seconds() const { return (ended > 0 ? ended : last_event) - began; }
  std::size_t count(StageState state) const;

  // The events, in order. Positions out of range are ignored, because events may come from files.
  void begin(double time, const std::vector<EnvironmentStatus>& all);
  void change(double time, StageAddress at, StageStatus status);
  void package(double time, StageAddress at, const PackageStatus& package);
  void sample(double time, const MachineSample& machine);
  void expect(double seconds) { expected_seconds = seconds; }
  void expect(StageAddress at, StageExpectation expectation);
  void note(double time, std::string text);
  void end(double time, double pushing_seconds = 0);
};

// The same in the form that reporters get.
std::vector<EnvironmentStatus> statuses(const RunRecord& run);

}  // namespace stagemake
