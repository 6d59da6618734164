// The guard: a small program in a container, in front of what builds a package. It writes down how long each
// package takes, and before a deadline it lets no package begin that would not be finished.
//
// It is called in two ways. A stage's recipe puts it in front of the package builder by `%{guard}`
// (`make SAGE_SPKG="%{guard}sage-spkg -y -o"`). And what has no such builder, Sage's script and pip packages,
// goes through `sage-logger -p COMMAND LOG`, a bash script: a file that bash reads first ($BASH_ENV) calls it
// there. It tells what begins and ends in lines of its own among what the stage prints, which
// run/package_channel.h takes out again. A package that it does not let begin ends with status 75; make
// leaves no stamp for it, and the next run builds it. What make only asks about (-q, -n, -t) it lets pass.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "engine/container_engine.h"

namespace stagemake {

inline constexpr std::string_view kGuardProgram = "/.stagemake/guard/guard";

struct GuardLimits {
  // Seconds from the script's beginning: after `close` no package begins; at `end` make is asked to end, and
  // a package that is known to take longer than until then does not begin. Nothing: there is no deadline.
  struct Times {
    double close = 0;
    double end = 0;
  };
  std::optional<Times> times;
  std::map<std::string, double> package_seconds;  // of the packages whose time is known
};

// Shell text, for before a recipe, that puts the guard in place. Its lines to run/package_channel.h carry
// `nonce`, a word.
std::string guard_setup(const GuardLimits& limits, std::string_view nonce);

// What the guard wrote down in a container that does not run.
struct GuardNotes {
  std::map<std::string, double> seconds;  // by package: of those that were built
  std::vector<std::string> refused;       // not begun, for want of time
  // In which order packages began and were finished, as ascending numbers; of each the last time. No clock is
  // asked.
  std::map<std::string, std::size_t> begun, built;
  bool is_lost = false;  // there was too much of it to be read: then nothing counts as finished

  // Whether it began, and was not finished since: what it wrote may be half of it.
  bool is_in_flight(const std::string& package) const;
};
GuardNotes read_guard_notes(ContainerEngine& engine, const std::string& container);

}  // namespace stagemake
