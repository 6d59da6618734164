// A run's events as lines of JSON, for other programs and for looking at the run while it goes on and after.
//
// Schema 1. Each line is an object with "event" and "time" (seconds since the epoch, with a fraction).
// Readers pass over events and fields that they do not know. In this order:
//   run      schema, version, distribution, tree, revision, engine, machine, command, process, processors,
//            at_once, slots (RunFacts): always the first line
//   outlook  text, seconds: what was expected before it began
//   begin    environments: [{name, stages: [{name, state, image, expected_seconds, expected_work, packages,
//            reasons}]}]
//   expected environment, stage, seconds, work, packages (StageExpectation), makes: [{package, seconds, needs:
//            [positions in this list]}] where the stage begins: takes the place of what "begin" said
//   stage    environment, stage, state, seconds, detail, image, log, findings: [{kind, package, version,
//            message, file, line, excerpt}], memory (bytes that it held at most): it just changed its state
//   package  environment, stage, package, state ("building", "built", "failed", "not begun")
//   note     text
//   machine  busy, memory (0 … 1), slots, slots_used, free (bytes), stages: [{environment, stage, slots,
//            memory (bytes)}]
//   lost     lines: so many were not written, as the reader was too slow
//   end      seconds, pushing (of these: after the last stage): the last stage has ended, and pushes have
//   exit     status: that of the command
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "report/line_file.h"
#include "report/run_record.h"

namespace stagemake {

inline constexpr int kEventSchema = 1;

class EventLog : public Reporter {
 public:
  // Seconds since the epoch.
  using Now = std::function<double()>;
  explicit EventLog(Now now) : now_(std::move(now)) {}

  // Throws as LineFile does.
  void add_file(const fs::path& file);
  // What happened until then is written after it.
  void facts(const RunFacts& facts);

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void expected(std::size_t environment, std::size_t stage, const StageExpectation& expectation) override;
  void package(std::size_t environment, std::size_t stage, const PackageStatus& package) override;
  void sampled(const MachineSample& sample) override;
  void expects(const std::string& text, double seconds) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;
  void exits(int status);

  // A line for each file that could not be written, for a person; empty where all could.
  std::vector<std::string> problems() const;

 private:
  void add(const std::string& line);

  const Now now_;
  mutable std::mutex mutex_;  // of all below
  bool has_facts_ = false;
  std::vector<std::string> early_;  // lines from before that
  struct Names {
    std::string environment;
    std::vector<std::string> stages;
  };
  std::vector<Names> names_;  // set once, before what asks for it
  std::vector<std::unique_ptr<LineFile>> files_;
};

// The run that a file of events tells of. Lines that are cut off or no events are passed over; nothing where
// there is none that begins a run.
std::optional<RunRecord> read_run(const fs::path& file);
// The same of text, for tests and for who reads on.
std::optional<RunRecord> parse_run(std::string_view text);

}  // namespace stagemake
