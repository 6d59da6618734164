// The reporter for a person at a terminal: messages scroll by above a block that shows what is running and is
// redrawn in place. Keys show logs, change the number of job slots, and stop the run.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "report/events/run_recorder.h"
#include "report/terminal/live_view.h"
#include "report/terminal/plain_reporter.h"
#include "report/terminal/terminal_screen.h"

namespace stagemake {

struct TerminalReporterOptions {
  OutputQueue* out = nullptr;  // to a terminal; must outlive the reporter
  int in = 0;
  PlainReporterOptions lines = {};  // the lines that scroll by; `print` and `heartbeat` are set here
  // Actions of keys, called from the reporter's own thread. Empty: the key says that it does nothing here.
  std::function<void()> stop = {};
  std::function<void(int)> change_slots = {};  // by this number
  std::chrono::milliseconds tick{100};         // between checks of keys and clock
};

class TerminalReporter : public Reporter {
 public:
  // The recorder must get every event before this reporter, and must outlive it.
  TerminalReporter(TerminalReporterOptions options, const RunRecorder& recorder);
  ~TerminalReporter() override;

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void printed(StageAddress at, std::string_view piece) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

  // Restores the terminal, for code that ends the process at once.
  void restore() { screen_.restore(); }

 private:
  using Clock = std::chrono::steady_clock;

  void serve(const std::stop_token& stop);
  void press(char key);
  void look(char key);
  void next_log();
  void draw(bool must);
  void print(std::string_view lines);

  TerminalReporterOptions options_;
  const RunRecorder& recorder_;
  std::mutex mutex_;  // protects all below
  TerminalScreen screen_;
  std::string above_;     // not shown yet, at most kMostAbove bytes
  std::size_t lost_ = 0;  // lines dropped because that was full
  bool live_ = false;     // between begin and end
  bool help_ = false;
  std::optional<StageAddress> log_;
  Clock::time_point drawn_ = {};
  std::unique_ptr<PlainReporter> lines_;
  std::jthread thread_;  // last, because it uses all of the above
};

}  // namespace stagemake
