// The reporter for a person at a terminal: what happens scrolls by, what runs stands beneath, redrawn in
// place; keys look into logs, change job slots, and end the run.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "report/live_view.h"
#include "report/plain_reporter.h"
#include "report/run_recorder.h"
#include "report/terminal_screen.h"

namespace stagemake {

struct TerminalReporterOptions {
  OutputQueue* out = nullptr;  // to a terminal; must outlive the reporter
  int in = 0;
  PlainReporterOptions lines = {};  // what scrolls by; `print` and `heartbeat` are set here
  // What keys do; called from a thread of the reporter's own. Empty: the key says that it does nothing here.
  std::function<void()> stop = {};
  std::function<void(int)> change_slots = {};  // by so many
  std::chrono::milliseconds tick{100};         // between looks at keys and at the clock
};

class TerminalReporter : public Reporter {
 public:
  // The recorder is told of everything before this one is, and must outlive it.
  TerminalReporter(TerminalReporterOptions options, const RunRecorder& recorder);
  ~TerminalReporter() override;

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void printed(const std::string& environment, const std::string& stage, std::string_view piece) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;

  // The terminal as it was, for who ends the process at once.
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
  std::mutex mutex_;  // of all below
  TerminalScreen screen_;
  std::string above_;     // not yet shown, at most kMostAbove bytes
  std::size_t lost_ = 0;  // lines that had no room there
  bool live_ = false;  // between begin and end
  bool help_ = false;
  std::optional<StagePlace> log_;
  Clock::time_point drawn_ = {};
  std::unique_ptr<PlainReporter> lines_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace stagemake
