// The guard: a small program in a container that runs before each package build. It records how long each
// package takes, and before a deadline it starts no package that could not finish in time.
//
// It is called in two ways. A stage's recipe puts it in front of the package builder by `%{guard}` (`make
// SAGE_SPKG="%{guard}sage-spkg -y -o"`). Sage's script and pip packages have no such builder: they go through
// `sage-logger -p COMMAND LOG`, a bash script, and a file that bash reads first ($BASH_ENV) calls the guard
// there. The guard reports what starts and ends in lines of its own within the stage's output;
// run/container/package_channel.h removes them. A package that it does not start exits with status 75; make
// writes no stamp for it, and the next run builds it. Packages that make only asks about (-q, -n, -t) pass.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/container_engine.h"

namespace stagemake {

inline constexpr std::string_view kGuardProgram = "/.stagemake/guard/guard";

struct GuardLimits {
  // Seconds from the script's start: after `close`, no package starts; at `end`, make is asked to end, and a
  // package known to take longer than until then does not start. Nothing: no deadline.
  struct Times {
    double close = 0;
    double end = 0;
  };
  std::optional<Times> times;
  std::map<std::string, double> package_seconds;  // of the packages whose time is known
};

// Shell text to run before a recipe; it installs the guard. The guard's lines to
// run/container/package_channel.h carry `nonce`, a word.
std::string guard_setup(const GuardLimits& limits, std::string_view nonce);

// What the guard recorded in a container that does not run.
struct GuardNotes {
  std::map<std::string, double> seconds;  // by package, of those that were built
  std::vector<std::string> refused;       // not started, for lack of time
  // The order in which packages started and finished, as ascending numbers; the last time for each. No clock
  // is involved.
  std::map<std::string, std::size_t> begun, built;
  bool is_lost = false;  // the notes were too large to read: then nothing counts as finished

  // Whether it started and has not finished since: its output may be incomplete.
  bool is_in_flight(const std::string& package) const;
};
GuardNotes read_guard_notes(ContainerEngine& engine, const std::string& container);

}  // namespace stagemake
