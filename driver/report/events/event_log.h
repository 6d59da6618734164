// The events of a run as lines of JSON, for other programs and for looking at the run during or after it.
//
// driver/manual/events.md, which is stagemake-events(7), says what the lines contain. A test writes every
// kind of event and looks for its fields there.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/files/files.h"
#include "report/events/line_file.h"
#include "report/events/run_record.h"

namespace stagemake {

inline constexpr int kEventSchema = 1;

class EventLog : public Reporter {
 public:
  // Seconds since the epoch.
  using Now = std::function<double()>;
  explicit EventLog(Now now) : now_(std::move(now)) {}

  // Throws as LineFile does.
  void add_file(const fs::path& file);
  // Events before this call are written after it.
  void facts(const RunFacts& facts);

  void begins(const std::vector<EnvironmentStatus>& all) override;
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void expected(StageAddress at, const StageExpectation& expectation) override;
  void package(StageAddress at, const PackageStatus& package) override;
  void sampled(const MachineSample& sample) override;
  void expects(const std::string& text, double seconds) override;
  void note(const std::string& text) override;
  void ends(const std::vector<EnvironmentStatus>& all, const RunSeconds& seconds) override;
  void exits(int status);

  // One line for a person per file that could not be written; empty if all could.
  std::vector<std::string> problems() const;

 private:
  void add(const std::string& line);

  const Now now_;
  mutable std::mutex mutex_;  // protects all below
  bool has_facts_ = false;
  std::vector<std::string> early_;  // lines from before facts()
  struct Names {
    std::string environment;
    std::vector<std::string> stages;
  };
  std::vector<Names> names_;  // set once, before it is used
  std::vector<std::unique_ptr<LineFile>> files_;
};

}  // namespace stagemake
