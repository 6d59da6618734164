// A world for random schedules: a tree that is edited, machines with an engine and a state folder each, and
// one registry. A command does what `stagemake build` does: adopt, look, decide, run, push.
//
// Properties that must always hold are checked here as things happen; each violation is a line in `broken`.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "run/build/build.h"
#include "run/schedule_make.h"
#include "run/schedule_tree.h"
#include "tree/tree_text.h"

namespace stagemake {

struct ScheduleMachine {
  ScheduleMachine(std::shared_ptr<FakeRegistry> registry, const std::string& name, const fs::path& tree,
                  VirtualClock& time, Chance& chance);

  const std::string name;
  TemporaryFolder folder;
  StateFolder state;
  Journal journal;
  ScheduleEngine engine;
  ScheduleMake make;
  // What is finished in the last container and was not removed since: no such package is rebuilt.
  Stamps finished;
  double works_until = 0;  // until then, a container of a dead driver keeps running
};

struct ScheduleCommand {
  std::string target = "with-targets";
  std::optional<double> seconds = {};  // until the deadline
  bool push = false;
  bool from = false;                      // the registry is searched
  std::optional<double> checkpoint = {};  // seconds between checkpoints
  std::set<unsigned> throws = {};         // calls of the reporter, counted from 1
  bool vanishes = false;                  // if the driver dies, its containers disappear with it
  Mishaps mishaps = {};
};

class ScheduleWorld {
 public:
  ScheduleWorld(Chance& chance, unsigned machines);

  ScheduleMachine& machine(std::size_t at) { return *machines_[at]; }
  std::size_t machines() const { return machines_.size(); }
  FakeRegistry& registry() { return *registry_; }
  ScheduleTree& tree() { return tree_; }
  VirtualClock& time() { return time_; }

  void run(ScheduleMachine& machine, const ScheduleCommand& command);
  // Compares the installed packages of the finished image with those of a build from the base image
  // elsewhere.
  void compare_with_clean(ScheduleMachine& machine);
  // Snapshots of a machine.
  std::vector<std::string> images(ScheduleMachine& machine);
  void damage(ScheduleMachine& machine, const std::string& image);
  void collect(ScheduleMachine& machine);

  std::vector<std::string> broken;
  std::vector<std::string> story;  // what happened, one line each
  unsigned commands = 0, built = 0, deaths = 0, adopted = 0, out_of_time = 0, demoted = 0, pushed = 0;
  unsigned checkpoints = 0, left_paused = 0, vanished = 0, saved_by_checkpoint = 0;
  unsigned thrown = 0;  // by the reporter
  unsigned mapped = 0;  // images whose file times were moved to the present

 private:
  struct Running;  // a command

  std::unique_ptr<ScheduleMachine> new_machine(const std::string& name);
  std::vector<Snapshot> remote(const SnapshotList& here, const BuildWorld& world);
  bool look(Running& running, BuildWorld& world);
  void build(Running& running, BuildWorld& world);
  void observe(Running& running);
  void vanish(Running& running);
  void check_rebuilt(const Running& running);
  void check_result(const Running& running);
  void note(const Running& running, const std::string& text);

  Chance& chance_;
  ScheduleTree tree_;
  VirtualClock time_;
  std::shared_ptr<FakeRegistry> registry_ = std::make_shared<FakeRegistry>();
  std::vector<std::unique_ptr<ScheduleMachine>> machines_;
};

}  // namespace stagemake
