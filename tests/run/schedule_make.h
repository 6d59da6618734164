// What runs in the containers of a simulation: bootstrap, configure, and a make that follows stamps, takes
// virtual time and obeys the guard. A stamp says what its package was built from: it is a digest of the
// package's files in the container and of the stamps of its normal dependencies.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "run/schedule_engine.h"
#include "tree/tree_text.h"

namespace stagemake {

// By package: version and digest. A truncated stamp has no digest.
struct Stamp {
  std::string version;
  std::string digest;
  unsigned long number = 0;  // in the order of writing
  std::int64_t time = 0;     // of the file, as make uses it
  bool operator==(const Stamp& other) const { return version == other.version && digest == other.digest; }
};
using Stamps = std::map<std::string, Stamp>;
Stamps stamps_in(const FakeFiles& files);
std::string stamp_path(const std::string& package, const std::string& version);

class ScheduleMake {
 public:
  ScheduleMake(ScheduleEngine& engine, VirtualClock& time, Chance& chance)
      : engine_(engine), time_(time), chance_(chance) {}

  RunOutcome act(FakeContainer& container, const std::string& script, const OutputSink& sink,
                 const std::stop_token& stop);

  const ReadTree* tree = nullptr;  // of the current command
  std::set<std::string> failing;
  std::map<std::string, double> seconds;  // by package
  // Called when the build of a package starts in a container, with the content of its stamp.
  std::function<void(const FakeContainer&, const std::string& package, const Stamp&)> on_build;
  Stamps last;  // the content of the last run's container at its end
  bool has_run = false;

 private:
  struct Guard {
    bool on = false;
    double close = 0, end = 0;  // by the clock, whole seconds; 0: no deadline
    std::map<std::string, double> expected;
  };

  RunOutcome work(FakeContainer& container, const std::string& whole_script, const std::stop_token& stop);
  RunOutcome make(FakeContainer& container, const std::vector<std::string>& wanted, const Guard& guard,
                  const std::stop_token& stop);
  bool build(FakeContainer& container, const DependencyGraph& graph, PackageId id, const Guard& guard,
             const std::stop_token& stop);
  std::string digest(const FakeFiles& files, const DependencyGraph& graph, PackageId id) const;
  bool may_begin(FakeContainer& container, const std::string& name, const Guard& guard) const;
  Guard guard_of(FakeContainer& container, const std::string& script) const;
  void remove(FakeContainer& container, const std::string& script);
  void configure(FakeContainer& container) const;
  GraphOptions configured(const FakeFiles& files) const;
  bool spend(double takes, const std::stop_token& stop);

  ScheduleEngine& engine_;
  VirtualClock& time_;
  Chance& chance_;
  static inline unsigned long written_ = 0;
};

}  // namespace stagemake
