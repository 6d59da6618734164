// A run as it was, or is so far: what reporters of whole runs look at. Made from a run's events while it goes
// on, or from the file that the event log wrote (report/event_log.h).
//
// Times are seconds since the epoch, durations seconds; 0: that has not happened, or is not known.
#pragma once

#include <string>
#include <vector>

#include "report/event.h"

namespace stagemake {

// What does not change while it runs.
struct RunFacts {
  std::string version = {};       // of stagemake
  std::string distribution = {};  // "sage"
  std::string tree = {};          // its path
  std::string revision = {};      // of the sources, as git describes it; empty where there is no git
  std::string engine = {};        // "docker"
  std::string machine = {};       // host name
  std::vector<std::string> command = {};
  long process = 0;
  unsigned processors = 0;
  unsigned at_once = 0;  // stages
  unsigned slots = 0;    // job slots that predictions are made with; 0: not known
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
  std::vector<PackageRecord> packages = {};  // in the order in which they began
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
  double expected_seconds = 0;          // until all is done, as predicted at the beginning
  // The same by the bounds alone that report/time_left.h knows: what more is expected comes from stages that
  // wait for each other.
  double expected_bound = 0;
  double ended = 0;                     // 0: it goes on, or died
  double pushing = 0;                   // seconds before its end in which only pushes went on
  double last_event = 0;                // when it was last heard of
  std::optional<int> exit_status = {};  // of the command; nothing before its end
  std::vector<EnvironmentRecord> environments = {};
  std::vector<Note> notes = {};
  std::vector<Sample> samples = {};

  bool has_begun() const { return !environments.empty(); }
  // Until its end, or so far.
  double seconds() const { return (ended > 0 ? ended : last_event) - began; }
  std::size_t count(StageState state) const;

  // What happened, in order. Positions that there are none of are passed over: they come from files, too.
  void begin(double time, const std::vector<EnvironmentStatus>& all);
  void change(double time, std::size_t environment, std::size_t stage, StageStatus status);
  void package(double time, std::size_t environment, std::size_t stage, const PackageStatus& package);
  void sample(double time, const MachineSample& machine);
  void expect(double seconds) { expected_seconds = seconds; }
  void expect(std::size_t environment, std::size_t stage, StageExpectation expectation);
  void note(double time, std::string text);
  void end(double time, double pushing_seconds = 0);
};

// The same as reporters are told it.
std::vector<EnvironmentStatus> statuses(const RunRecord& run);

}  // namespace stagemake
