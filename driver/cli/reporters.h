// Who is told of a run, by what the caller's options and terminal are: a terminal or lines, the file of
// events, the run as it is kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/standard_streams.h"
#include "cli/options.h"
#include "report/ci_output.h"
#include "report/event_log.h"
#include "report/reporter_group.h"
#include "report/run_recorder.h"
#include "report/terminal_reporter.h"
#include "report/verdict.h"
#include "run/run_folder.h"

namespace stagemake {

// What keys may do to a run.
struct RunKeys {
  std::function<void()> stop;
  std::function<void(int)> change_slots;
};

class Reporters {
 public:
  // Throws Error where --events names a file that cannot be written. `engine`: as commands for a person name
  // it. `streams` must outlive it.
  Reporters(const Options& options, const std::string& engine, StandardStreams& streams, RunKeys keys);

  Reporter& all() { return *group_; }
  // The run begins: from here on it is kept in `state`. Where that is not possible it is told, and no
  // failure.
  void begin(const RunFacts& facts, const StateFolder& state);
  // It is over: says what its failures come to, to CI services in their words too, and keeps its end.
  void end(int exit_status, const std::vector<RunRecord>& before,
           const std::vector<ExpectedFailure>& expected);
  std::string name() const;  // of the run's folder; empty where it is not kept
  // Gives the terminal back to the program that started this one.
  void restore_terminal();

 private:
  void tell_ci(const RunRecord& run, const Verdict& verdict);

  const CiService service_;
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
