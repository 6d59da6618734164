// The machines of a run, each with its engine, its limits and its names: docker hosts, or the one engine of
// an ordinary build. Images move between them, and a machine that does not answer is given up until it is
// back.
//
// Thread rule: all calls from any thread, after begin().
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "run/build/run_context.h"

namespace stagemake {

// The snapshots that another host has, judged by their origins, as other hosts see them, which would have to
// fetch them; with an empty `host`, as it sees them itself. `problems`: as for find_snapshots().
std::vector<Snapshot> snapshots_on(ContainerEngine& engine, const std::string& host, const BuildWorld& world,
                                   std::vector<std::string>* problems = nullptr);

class Hosts {
 public:
  // All arguments must outlive it.
  Hosts(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds, const BuildOptions& options,
        RunProgress& progress);
  ~Hosts();
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  std::size_t size() const { return all_.size(); }
  bool are_several() const { return all_.size() > 1; }
  const RunContext& operator[](std::size_t host) const { return all_[host]->context; }
  // For people; empty if there is only one.
  const std::string& name(std::size_t host) const { return all_[host]->name; }
  // What a flow may start on each.
  std::vector<DispatchLimits> limits() const;

  // The run begins, and `flow` runs its stages; those that did not answer before are looked for.
  void begin(FlowExecutor& flow);
  // All stages have ended: nobody is looked for any more.
  void end();
  // Measures all machines for the reporter.
  void complete(MachineSample& sample);
  // Waits for all pushes.
  void finish_pushes();

  // An engine has failed in a stage. Asks it whether it still works; if it does not, nothing starts there
  // until it does. False: it works.
  bool check(std::size_t host);
  bool is_lost(std::size_t host) const;

  // The images of an environment as one host sees them: its own, and those that it would have to fetch from
  // other hosts that answer. `registries`: those in registries, which are added.
  SnapshotList images(const std::string& environment, std::size_t host, const SnapshotList& registries);
  // Brings an image from another host, named in Snapshot::host. Returns why that fails; empty if it worked.
  std::string bring(const Snapshot& image, std::size_t to, const std::stop_token& stop);
  // Brings an image by name from any other host that has it. False if none has, or all fail.
  bool bring_by_name(const std::string& image, std::size_t to, const std::stop_token& stop);

 private:
  // One of them. `context` refers to the other members.
  struct One {
    One(const BuildWorld& run_world, const BuildOptions& run_options, const BuildHost* host,
        RunProgress& progress, std::size_t index, std::size_t environments);

    const std::string name;
    BuildWorld world;
    BuildOptions options;
    ImageNames names;
    MachineLimits limits;
    Heartbeat heartbeat;  // destroyed after all containers
    RunContext context;
    // Guarded by Hosts::mutex_.
    bool is_lost = false, is_given_up = false;
    std::string why = {};   // it was lost
    double lost_since = 0;  // seconds since the epoch
  };

  void lose(std::size_t host, const std::string& why);
  void look_after(const std::stop_token& stop);
  bool is_back(std::size_t host);
  void adopt(std::size_t host);
  std::string move(const std::string& image, std::size_t from, std::size_t to, const std::stop_token& stop);

  const BuildWorld& world_;
  const std::vector<EnvironmentBuild>& builds_;
  const BuildOptions& options_;
  RunProgress& progress_;
  std::deque<std::unique_ptr<One>> all_;
  FlowExecutor* flow_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread looker_;  // last: it uses all of the above
};

}  // namespace stagemake
