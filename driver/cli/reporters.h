// Chooses the reporters of a run by options and terminal: a terminal or lines, the file of events, the kept
// run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process/standard_streams.h"
#include "cli/options/options.h"
#include "report/ci/ci_output.h"
#include "report/events/event_log.h"
#include "report/events/reporter_group.h"
#include "report/events/run_recorder.h"
#include "report/terminal/terminal_reporter.h"
#include "report/verdict/verdict.h"
#include "run/state/run_folder.h"

namespace stagemake {

// Actions of keys.
struct RunKeys {
  std::function<void()> stop;
  std::function<void(int)> change_slots;
};

class Reporters {
 public:
  // Throws Error if --events names a file that cannot be written. `engine`: its name in commands for the
  // user. `streams` must outlive it.
  Reporters(const Options& options, const std::string& engine, StandardStreams& streams, RunKeys keys);

  Reporter& all() { return *group_; }
  // The run begins: from now on it is kept in `state`. If that is impossible, this is reported, and is not an
  // error.
  void begin(const RunFacts& facts, const StateFolder& state);
  // The run has ended: prints the verdict, also in the formats of CI services, and records its end.
  void end(int exit_status, const std::vector<RunRecord>& before,
           const std::vector<ExpectedFailure>& expected);
  std::string name() const;  // of the run's folder; empty if it is not kept
  // Restores the terminal for the calling program.
  void restore_terminal();

 private:
  void tell_ci(const RunRecord& run, const Verdict& verdict);

  const CiService service_;
  const bool is_verbose_;
  const std::string rest_command_;
  OutputQueue& out_;
  RunRecorder recorder_;
  EventLog events_;
  std::optional<RunFolder> folder_;
  std::unique_ptr<PlainReporter> lines_;
  std::unique_ptr<TerminalReporter> terminal_;
  std::unique_ptr<CiReporter> ci_;
  std::optional<ReporterGroup> group_;
};

}  // namespace stagemake
