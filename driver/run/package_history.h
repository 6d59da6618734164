// What the journal remembers of one package: how long it took where, and why it was built the last time.
// Pure; it says what follows from the journal and nothing that does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "run/journal.h"

namespace stagemake {

// Times are seconds since the epoch, durations seconds.
struct PackageTimes {
  std::string environment;
  std::size_t builds = 0;
  double median = 0;      // of the last 5, as predictions take it
  double last = 0;        // the last build
  std::int64_t when = 0;  // its end
  std::string version;    // that it built
};

// By environment in which it was built, the slowest first.
std::vector<PackageTimes> times_of_package(const JournalContents& journal, const std::string& package);

// The last build of a package in an environment.
struct LastBuild {
  PackageBuilt built;
  std::optional<PackageBuilt> before;          // the build before that one
  std::string stage;                           // in which; empty where the journal has lost that
  StageOutcome outcome = StageOutcome::Built;  // of that stage
  std::size_t with_it = 0;                     // other packages that the same run of the stage built
  std::vector<std::string> reasons;            // sentences; empty where the journal does not tell why
};

// `needs`: names of the packages of which a new build builds this one, too. Nothing where the journal has no
// build.
std::optional<LastBuild> last_build(const JournalContents& journal, const std::string& environment,
                                    const std::string& package, const std::vector<std::string>& needs);

}  // namespace stagemake
