// The lines of a run for a pipe, for CI, and above the block in a terminal: one line per change, a heartbeat
// while something runs, and a table at the end.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/text/line_cutter.h"
#include "base/text/text.h"
#include "report/events/event.h"

namespace stagemake {

struct PlainReporterOptions {
  // Takes complete lines with line ends; called by one thread at a time. It must not wait for a reader.
  std::function<void(std::string_view lines)> print;
  bool color = false;
  bool quiet = false;    // only failures and failed rows of the table (make -s)
  bool brief = false;    // only what is built, without image names; nothing about reused stages
  bool verbose = false;  // also the output of stages
  // Between "still running" lines if nothing else was printed; 0: no such lines.
  std::chrono::milliseconds heartbeat{60000};
  // The command that opens a shell in what was kept of a stage; empty: do not mention it.
  std::function<std::string(const std::string& environment, const std::string& stage)> shell_command;
  // The command that prints the log of a package in a stage; empty: do not mention it.
  std::function<std::string(const std::string& environment, const std::string& stage,
                            const std::string& package)>
      logs_command;
  // The command that lists what a failed stage reports beyond its first errors; empty: do not mention it.
  std::string rest_command = {};
  // Whether a log file was written; empty: all were.
  std::function<bool(const std::string& log)> has_log;
};

// The errors that the log of a failed stage contains, each with its place and the lines around it.
std::vector<std::string> finding_lines(const StageStatus& status, const Listing& listing);

class PlainReporter : public Reporter {
 public:
  explicit PlainReporter(PlainReporterOptions options);
  ~PlainReporter() override;

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void package(StageAddress at, const PackageStatus& package) override;
  void printed(StageAddress at, std::string_view piece) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::string environment;
    std::string stage;
    Clock::time_point since;
    std::vector<std::string> packages = {};  // those in progress
  };

  void beat(std::stop_token stop);
  std::string still_running() const;
  void print(std::string_view lines);
  void print_line(const std::string& line);
  void print_output(std::size_t environment, std::string_view line);
  void print_failure(const StageStatus& status);
  std::string print_places(const EnvironmentStatus& environment);
  bool has_log(const StageStatus& status) const;

  PlainReporterOptions options_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<StageAddress, Running> running_;
  Clock::time_point last_line_ = Clock::now();
  std::map<StageAddress, LineCutter> unfinished_;
  std::vector<std::string> names_;     // of the environments
  bool several_ = false;               // environments in this run
  std::size_t wanted_ = 0, done_ = 0;  // numbers of stages
  bool ended_ = false;
  std::jthread heart_;  // last, because it uses all of the above
};

// The table at the end: environment × stage, with seconds. Pure, for tests.
std::string status_table(const std::vector<EnvironmentStatus>& all, bool failures_only, bool color = false);

// The last `most` lines of a log file, made printable; empty if it cannot be read.
std::vector<std::string> last_lines(const std::string& file, std::size_t most);

}  // namespace stagemake
