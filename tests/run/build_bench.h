// A whole build with an engine in memory: a small distribution, environments, and a make that acts on the
// files in the fake container as the real make does on stamps.
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

#include "engine/fake/fake_engine.h"
#include "run/build/build.h"
#include "run/container/adoption.h"
#include "tree/tree_text.h"

namespace stagemake {

// Records events, to be compared with lists of words.
class RecordingReporter : public Reporter {
 public:
  void begins(const std::vector<EnvironmentStatus>&) override {}
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void note(const std::string& text) override;
  void expected(StageAddress at, const StageExpectation& expectation) override;
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override;

  std::function<void(const std::string& change)> heard;
  std::mutex mutex;
  std::vector<std::string> changes;  // "ENVIRONMENT STAGE: state"
  std::vector<std::string> notes;
  struct Expected {
    StageAddress at;
    StageExpectation what;
  };
  std::vector<Expected> expectations;
  unsigned ended = 0;
  std::size_t notes_before_end = 0;
};

// Advances by a second at each reading, so that two events never fall into the same whole second.
class TickingClock : public Clock {
 public:
  double now() const override { return began_ + static_cast<double>(++ticks_); }
  bool sleep(double, const std::stop_token& stop) override {
    ++ticks_;
    return !stop.stop_requested();
  }
  double last() const { return began_ + static_cast<double>(ticks_); }  // reading it here does not advance it
  std::unique_ptr<Alarm> at(double when, std::function<void()> what) override {
    if (by_hand) return std::make_unique<Bell>(*this, std::move(what));
    return system_clock().at(when, std::move(what));
  }

  // If set, alarms ring when a test calls ring(), whatever their time: all alarms set at that moment.
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
    // By stage of the first environment: "reused", "built", …
    std::vector<std::string> states;
    std::vector<std::string> scripts;  // what ran in containers, in order: "make all-sage-local: zlib app"
    std::map<std::string, unsigned> calls;  // engine calls of this run only, by verb
    std::vector<std::string> notes;
    std::vector<std::string> passed_over;  // images, with reasons
    bool exact = false;                    // the plan of the first environment
    std::vector<std::string> planned;      // its packages, stage by stage
  };
  // What one command does: adopt, look, decide, run.
  Run build(const std::vector<std::string>& environments = {"debian-bookworm-minimal"});

  // What a command that changes nothing finds of dead runs.
  LeftWork left(const std::vector<std::string>& environments = {"debian-bookworm-minimal"});

  // The labels of an image, parsed as a snapshot.
  Snapshot snapshot(const std::string& image) const;
  bool has_image(const std::string& image) { return engine.find_image(image).has_value(); }
  std::string id_of(const std::string& image);
  // The files of an image's tree whose names contain `part`.
  std::vector<std::string> files(const std::string& image, const std::string& part) const;

  TreeText tree;
  TemporaryFolder state_folder;
  StateFolder state;
  FakeEngine engine;
  Journal journal{state.journal()};
  RecordingReporter reporter;
  Reporter* also_reports = nullptr;            // beside the tree
  std::vector<std::string> reporter_problems;  // of the last run

  // For the next run.
  std::vector<std::string> targets = {"with-targets"};
  std::vector<std::string> tags = {"1"};
  std::string repository;
  std::string push_repository;  // empty: no push
  bool take_names = false;
  std::vector<PublicKey> trusted;
  bool push_fetched = false;
  NetworkChoices networks;
  std::map<std::string, std::string> problems;  // of environments: see EnvironmentBuild
  bool discard_unsaved = false;
  std::map<std::string, std::string> given;
  std::optional<fs::path> stages;
  BuildOptions options;
  RestoreSettings settings;
  bool start_over = false;                  // with settings.fresh
  std::set<std::string> failing;            // packages
  std::map<std::string, std::string> says;  // lines that a package's make prints before it ends, well or not
  std::set<std::string> passes_over;  // installed packages that make wrongly considers up to date, each once
  bool lacks_find = false;            // containers have no find
  std::function<void()> prepared;     // called after the decision, before anything runs
  bool learns = false;                // uses the journal's records of earlier runs
  // Packages, "bootstrap" and "configure", that succeed and leave nothing.
  std::set<std::string> leaves_nothing;
  // build/make/Makefile as configure writes it and make then follows it; if unset, an empty one.
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

  const ReadTree* read_ = nullptr;  // of the current run
  std::mutex mutex_;
  std::vector<std::string> scripts_;
  std::atomic<unsigned long> stamps_{0};
};

// "…-configured:1" for the default environment.
std::string image_of_stage(const std::string& stage, const std::string& tag = "1",
                           const std::string& environment = "debian-bookworm-minimal");

}  // namespace stagemake
