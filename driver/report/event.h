// What happens in a run, as values. run/ makes them, reporters show them; neither knows the other.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace stagemake {

//                      ┌──────────► Skipped (a stage before it did not end well, or the run was stopped)
//   Waiting ───────────┼──────────► Reused  (an image holds it)
//                      └─► Running ─► Built | Failed | Interrupted
//   NotWanted: the run ends before it.
enum class StageState { NotWanted, Waiting, Reused, Running, Built, Failed, Interrupted, Skipped };

std::string_view word(StageState state);

struct StageStatus {
  StageState state = StageState::Waiting;
  double seconds = 0;  // that it ran
  std::string detail;  // reused or built: the image; running: from what; failed: why
  std::string log;     // path of its full log; empty where it never ran
  std::string image;   // the image kept of it, also of a failure; empty where there is none
};

struct EnvironmentStatus {
  std::string name;
  std::vector<std::string> stage_names;
  std::vector<StageStatus> stages;  // as many as names
};

class Reporter {
 public:
  virtual ~Reporter() = default;
  // All calls may come from any thread; an implementation locks. `all` is the run as it is now.
  virtual void begins(const std::vector<EnvironmentStatus>& all) = 0;
  // Stage `stage` of environment `environment` just changed its state.
  virtual void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
                       std::size_t stage) = 0;
  // What a stage prints, piece by piece, as it comes. All of it is in the stage's log, too.
  virtual void printed(const std::string& environment, const std::string& stage, std::string_view piece) {
    (void)environment, (void)stage, (void)piece;
  }
  // Something a person should know that is no stage's state.
  virtual void note(const std::string& text) = 0;
  virtual void ends(const std::vector<EnvironmentStatus>& all, double seconds) = 0;
};

}  // namespace stagemake
