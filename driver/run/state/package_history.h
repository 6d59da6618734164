// What the journal remembers of one package: how long it took in each environment, and why it was last built.
// Pure; it reports only what follows from the journal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text/text.h"
#include "run/state/journal.h"

namespace stagemake {

// Times are seconds since the epoch, durations seconds.
struct PackageTimes {
  std::string environment;
  std::size_t builds = 0;
  double median = 0;      // of the last 5, as in predictions
  double last = 0;        // the last build
  std::int64_t when = 0;  // its end
  std::string version;    // that this build made
};

// One entry per environment in which it was built, slowest first.
std::vector<PackageTimes> times_of_package(const JournalContents& journal, const std::string& package);

// The last build of a package in an environment.
struct LastBuild {
  PackageBuilt built;
  std::optional<PackageBuilt> before;          // the build before that one
  std::string stage;                           // that built it; empty if the journal has lost it
  StageOutcome outcome = StageOutcome::Built;  // of that stage
  std::size_t with_it = 0;                     // other packages built by the same run of the stage
  std::vector<std::string> reasons;            // sentences; empty if the journal does not say why
};

// `needs`: names of the packages whose rebuild causes a rebuild of this one. Nothing if the journal has no
// build. `listing`: for lists in reasons.
std::optional<LastBuild> last_build(const JournalContents& journal, const std::string& environment,
                                    const std::string& package, const std::vector<std::string>& needs,
                                    const Listing& listing = {});

}  // namespace stagemake
