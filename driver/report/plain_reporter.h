// The reporter for terminals, pipes and CI: one line per change, a heartbeat while something runs, one table
// at the end. On a terminal one more line, rewritten in place, says what runs and for how long.
#pragma once

#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "report/event.h"

namespace stagemake {

struct PlainReporterOptions {
  std::FILE* out = stdout;
  bool terminal = false;  // `out` is one: rewrite a status line
  bool color = false;
  bool quiet = false;                          // failures and the table's failed rows only (make -s)
  bool verbose = false;                        // also what stages print
  unsigned columns = 80;                       // of the terminal
  std::chrono::milliseconds heartbeat{60000};  // between "still running" lines where there is no terminal
  std::chrono::milliseconds tick{500};  // between looks at what runs: how often the status line changes
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
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, double seconds) override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::string environment;
    std::string stage;
    Clock::time_point since;
  };

  void tick(std::stop_token stop);
  void print_line(const std::string& line);
  void draw_status();
  void erase_status();
  void print_output(const std::string& environment, std::string_view line);
  void print_places(const EnvironmentStatus& environment);
  std::string painted(std::string_view text, StageState state) const;

  PlainReporterOptions options_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::map<std::pair<std::size_t, std::size_t>, Running> running_;
  Clock::time_point last_heartbeat_ = Clock::now();
  std::map<std::pair<std::string, std::string>, std::string> unfinished_;  // lines, by environment and stage
  bool several_ = false;                                                   // environments in this run
  bool status_shown_ = false;
  bool ended_ = false;
  std::jthread ticker_;  // last: it uses all of the above
};

// The table at the end: environment × stage, with seconds. Pure, for tests.
std::string status_table(const std::vector<EnvironmentStatus>& all, bool failures_only);

// The last `most` lines of a log file, made printable; empty where it cannot be read.
std::vector<std::string> last_lines(const std::string& file, std::size_t most);

}  // namespace stagemake
