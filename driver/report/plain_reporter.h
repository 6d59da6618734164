// The lines of a run, for a pipe and for CI, and above what a terminal draws in place: one line per change, a
// heartbeat while something runs, one table at the end.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/line_cutter.h"
#include "report/event.h"

namespace stagemake {

struct PlainReporterOptions {
  // Where whole lines go, with their ends; called by one thread at a time. It must not wait for a reader.
  std::function<void(std::string_view lines)> print;
  bool color = false;
  bool quiet = false;    // failures and the table's failed rows only (make -s)
  bool brief = false;    // of what is built, not as which image; nothing of what is reused
  bool verbose = false;  // also what stages print
  // Between "still running" lines where nothing else was told; 0: there are none.
  std::chrono::milliseconds heartbeat{60000};
  // The command with which a person opens a shell in what was kept of a stage; empty: say nothing of it.
  std::function<std::string(const std::string& environment, const std::string& stage)> shell_command;
};

class PlainReporter : public Reporter {
 public:
  explicit PlainReporter(PlainReporterOptions options);
  ~PlainReporter() override;

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void package(std::size_t environment, std::size_t stage, const PackageStatus& package) override;
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::string environment;
    std::string stage;
    Clock::time_point since;
    std::vector<std::string> packages = {};  // that are being built
  };

  void beat(std::stop_token stop);
  std::string still_running() const;
  void print(std::string_view lines);
  void print_line(const std::string& line);
  void print_output(const std::string& environment, std::string_view line);
  void print_failure(const StageStatus& status);
  std::string print_places(const EnvironmentStatus& environment);
  std::string painted(std::string_view text, StageState state) const;

  PlainReporterOptions options_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::pair<std::size_t, std::size_t>, Running> running_;
  Clock::time_point last_line_ = Clock::now();
  std::map<std::pair<std::string, std::string>, LineCutter> unfinished_;  // by environment and stage
  bool several_ = false;                                                  // environments in this run
  std::size_t wanted_ = 0, done_ = 0;                                      // stages
  bool ended_ = false;
  std::jthread heart_;  // last: it uses all of the above
};

// The table at the end: environment × stage, with seconds. Pure, for tests.
std::string status_table(const std::vector<EnvironmentStatus>& all, bool failures_only);

// The last `most` lines of a log file, made printable; empty where it cannot be read.
std::vector<std::string> last_lines(const std::string& file, std::size_t most);

}  // namespace stagemake
