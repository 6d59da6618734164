// A whole build with an engine in memory: a small distribution, environments, and a make that acts on the
// files in the fake container as the real one does on stamps.
#pragma once

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "engine/fake_engine.h"
#include "plan/tree_text.h"
#include "run/adoption.h"
#include "run/build.h"

namespace stagemake {

// What happened, to be compared with lists of words.
class RecordingReporter : public Reporter {
 public:
  void begins(const std::vector<EnvironmentStatus>&) override {}
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void note(const std::string& text) override;
  void expected(std::size_t environment, std::size_t stage, const StageExpectation& expectation) override;
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override;

  std::function<void(const std::string& change)> heard;
  std::mutex mutex;
  std::vector<std::string> changes;  // "ENVIRONMENT STAGE: state"
  std::vector<std::string> notes;
  struct Expected {
    std::size_t environment, stage;
    StageExpectation what;
  };
  std::vector<Expected> expectations;
  unsigned ended = 0;
  std::size_t notes_before_end = 0;
};

// Goes on by a second whenever it is looked at: what is told by whole seconds is never of the same one.
class TickingClock : public Clock {
 public:
  double now() const override { return began_ + static_cast<double>(++ticks_); }
  bool sleep(double, const std::stop_token& stop) override {
    ++ticks_;
    return !stop.stop_requested();
  }
  double last() const { return began_ + static_cast<double>(ticks_); }  // it does not go on by that
  std::unique_ptr<Alarm> at(double when, std::function<void()> what) override {
    if (by_hand) return std::make_unique<Bell>(*this, std::move(what));
    return system_clock().at(when, std::move(what));
  }

  // With it alarms ring when a test says so, whatever their time: those that are set at that moment.
  bool by_hand = false;
  void ring() {
    std::vector<std::function<void()>> bells;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [bell, what] : bells_) bells.push_back(what);
      bells_.clear();
    }
    for (const std::function<void()>& what : bells) what();
  }

 private:
  struct Bell : Alarm {
    Bell(TickingClock& the_clock, std::function<void()> what) : clock(the_clock) {
      std::lock_guard lock(clock.mutex_);
      clock.bells_[this] = std::move(what);
    }
    ~Bell() override {
      std::lock_guard lock(clock.mutex_);
      clock.bells_.erase(this);
    }
    TickingClock& clock;
  };

  std::mutex mutex_;
  std::map<const Bell*, std::function<void()>> bells_;
  const double began_ = std::floor(system_clock().now());
  mutable std::atomic<unsigned> ticks_{0};
};

class BuildBench {
 public:
  explicit BuildBench(std::string_view tree_text);

  struct Run {
    BuildResult result;
    // Per stage of the first environment, "reused", "built", …
    std::vector<std::string> states;
    std::vector<std::string> scripts;  // what ran in containers, in order: "make all-sage-local: zlib app"
    std::map<std::string, unsigned> calls;  // of the engine, by verb, in this run alone
    std::vector<std::string> notes;
    std::vector<std::string> passed_over;  // images, with why
    bool exact = false;                // the plan of the first environment
    std::vector<std::string> planned;  // its packages, stage by stage
  };
  // One command's worth: adopt, look, decide, run.
  Run build(const std::vector<std::string>& environments = {"debian-bookworm-minimal"});

  // What a command that only looks finds of dead runs.
  LeftWork left(const std::vector<std::string>& environments = {"debian-bookworm-minimal"});

  // The labels of an image, read as a snapshot.
  Snapshot snapshot(const std::string& image) const;
  bool has_image(const std::string& image) { return engine.find_image(image).has_value(); }
  std::string id_of(const std::string& image);
  // The files of an image's tree whose names hold `part`.
  std::vector<std::string> files(const std::string& image, const std::string& part) const;

  TreeText tree;
  TemporaryFolder state_folder;
  StateFolder state;
  FakeEngine engine;
  Journal journal{state.journal()};
  RecordingReporter reporter;
  Reporter* also_reports = nullptr;            // beside it
  std::vector<std::string> reporter_problems;  // of the last run

  // Of the next run.
  std::vector<std::string> targets = {"with-targets"};
  std::vector<std::string> tags = {"1"};
  std::string repository;
  std::string push_repository;  // empty: nothing is pushed
  bool take_names = false;
  NetworkChoices networks;
  std::map<std::string, std::string> problems;  // of environments: see EnvironmentBuild
  bool discard_unsaved = false;
  std::map<std::string, std::string> given;
  std::optional<fs::path> stages;
  BuildOptions options;
  RestoreSettings settings;
  bool start_over = false;                  // with settings.fresh
  std::set<std::string> failing;            // packages
  std::map<std::string, std::string> says;  // lines that a package's make prints, before it ends either way
  std::set<std::string> passes_over;        // installed packages that make takes for up to date, each once
  bool lacks_find = false;                  // containers do
  std::function<void()> prepared;           // called when all is decided and nothing has run
  bool learns = false;                      // from what the journal says of runs before
  // Packages, "bootstrap" and "configure", that end well and leave nothing.
  std::set<std::string> leaves_nothing;
  // What configure writes as build/make/Makefile, which make then follows; nothing: an empty one.
  std::optional<std::string> makefile;
  // Called in the container before make makes a package, or with "" before any other script's work.
  std::function<void(const FakeContainer&, const std::string& package, std::stop_token)> before;
  TickingClock clock;

 private:
  struct Command;
  RunOutcome act(FakeContainer& container, const std::string& script, const OutputSink& sink,
                 std::stop_token stop);
  RunOutcome make(FakeContainer& container, const std::vector<std::string>& targets, const OutputSink& sink,
                  std::stop_token stop, std::string& record);

  const ReadTree* read_ = nullptr;  // of the run that goes on
  std::mutex mutex_;
  std::vector<std::string> scripts_;
  std::atomic<unsigned long> stamps_{0};
};

// "…-configured:1" for the usual environment.
std::string image_of_stage(const std::string& stage, const std::string& tag = "1",
                           const std::string& environment = "debian-bookworm-minimal");

}  // namespace stagemake
