// A command's look at the world: the tree, the engine, the environments and what exists of them.
#pragma once

#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/standard_streams.h"
#include "cli/tree.h"
#include "engine/registry.h"
#include "run/build.h"

namespace stagemake {

// git needs 0.6 s to describe Sage (20,000 commits since the last tag): it does so beside everything else.
class Describing {
 public:
  explicit Describing(const fs::path& tree)
      : revision_(std::async(std::launch::async, tree_revision, tree, stop_.get_token())) {}
  ~Describing() { stop_.request_stop(); }  // who ends early, over a bad option, does not wait for git
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;
  const TreeRevision& get() const { return revision_.get(); }
  // Ends git: what it has not said yet is not known.
  void stop() { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::shared_future<TreeRevision> revision_;
};

// What `build`, `explain` and `tox` have in common.
struct Session {
  explicit Session(const Options& options);

  // From here on images can be named. As late as possible: it waits for git. Throws as image_tag() does.
  void settle_tags(const Options& options);
  // Plans and decides for all environments. Where what is on this machine does not do, registries are asked;
  // what went wrong there is in `problems`. A request to stop ends that: then the decisions are none to act on.
  void look(const Options& options, const std::stop_token& stop = {});
  std::vector<StageExplanation> explain(const EnvironmentBuild& build);
  JournalContents remembered;  // what the journal says; empty where nothing is to be built
  // Where images are looked for: --from, and where they are pushed to.
  std::vector<std::string> repositories(const Options& options) const;

  Describing describing;
  Tree tree;
  std::vector<Environment> environments;
  std::unique_ptr<ContainerEngine> engine;
  StateFolder state;
  SourceTree sources;
  Journal journal;
  BaseImages bases;
  BuildWorld world;
  std::vector<Snapshot> snapshots;
  std::vector<EnvironmentBuild> builds;
  std::vector<std::string> problems;

 private:
  void decide_all(const Options& options);
  void look_into_containers();
  void look_further(const Options& options, const std::stop_token& stop);
  std::vector<std::vector<std::string>> layers_here();
  void ask_for_bases(Registry& registry, const std::vector<Snapshot>& found, const std::stop_token& stop);
};

// Bytes that all stages at once may hold: --memory, else what is free now; 0: any.
std::uint64_t memory_for_stages(const Options& options);

// What is known of registries' images stays in the user's cache folder.
// A request to stop ends every look-up.
RegistryOptions registry_options(const Options& options, const std::stop_token& stop = {});

// Runs the session's environments to their end, as a person watches: tells, locks, takes over what a dead
// driver left, builds. No result where a signal came before anything began. All that it prints goes to
// `streams`.
struct BuildOutcome {
  std::optional<BuildResult> result;
  int signal = 0;  // that ended the run; 0: none
  PushResults pushes = {};
  bool push_required = false;
  int exit_status() const;
};
BuildOutcome run_session(Session& session, const Options& options, StandardStreams& streams);

}  // namespace stagemake
