// Runs a session's environments to their end.
#pragma once

#include <optional>

#include "cli/session.h"

namespace stagemake {

// Runs the session's environments to their end, for a person who watches: reports, locks, adopts what a dead
// driver left, builds. No result if a signal came before anything began. All output goes to `streams`.
struct BuildOutcome {
  std::optional<BuildResult> result;
  int signal = 0;  // the signal that ended the run; 0: none
  PushResults pushes = {};
  bool push_required = false;
  int exit_status() const;
};
BuildOutcome run_session(Session& session, const Options& options, StandardStreams& streams);

}  // namespace stagemake
