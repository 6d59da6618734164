// The state that a command works with: the tree, the engine, the environments and what exists of them.
#pragma once

#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/process/standard_streams.h"
#include "cli/engine_choice.h"
#include "cli/tree.h"
#include "registry/registry.h"
#include "run/build/build.h"

namespace stagemake {

// Describes the tree in the background, because git needs 0.6 s for Sage (20,000 commits since the last tag).
class Describing {
 public:
  explicit Describing(const fs::path& tree)
      : revision_(std::async(std::launch::async, tree_revision, tree, stop_.get_token())) {}
  // Stops git, so that a command that fails early, for example on a bad option, does not wait for it.
  ~Describing() { stop_.request_stop(); }
  Describing(const Describing&) = delete;
  Describing& operator=(const Describing&) = delete;
  const TreeRevision& get() const { return revision_.get(); }
  // Stops git; the description is unknown if it is not complete.
  void stop() { stop_.request_stop(); }

 private:
  std::stop_source stop_;
  std::shared_future<TreeRevision> revision_;
};

// The common part of `build`, `explain`, `simulate` and `tox`.
struct Session {
  explicit Session(const Options& options);

  // Afterwards images can be named. Call it as late as possible, because it waits for git. Throws as
  // image_tag() does.
  void settle_tags(const Options& options);
  // Plans and decides for all environments. Registries are contacted if local images are not enough; their
  // errors are in `problems`. A request to stop ends this; then do not act on the decisions.
  void look(const Options& options, const std::stop_token& stop = {});
  std::vector<StageExplanation> explain(const EnvironmentBuild& build, const Listing& listing = {});
  // What registries have of one environment now.
  std::vector<Snapshot> look_in_registries(const Options& options, const std::string& environment,
                                           const std::stop_token& stop);
  JournalContents remembered;  // the contents of the journal; empty if nothing is to be built
  // Where to look for images: --from, and the repository for pushes.
  std::vector<std::string> repositories(const Options& options) const;

  std::unique_ptr<Describing> describing;
  Tree tree;
  std::vector<Environment> environments;
  StateFolder state;
  // The engines that build: one, or those of --hosts, those that work first.
  std::vector<ChosenEngine> hosts;
  std::vector<DispatchLimits> limits;  // of each, if there are several; else empty
  ContainerEngine* engine;             // the first; its images are the local ones
  DependencyGraphs graphs;
  SourceTree sources;
  Journal journal;
  std::optional<SigningKey> signing_key;  // signs pushed images
  BaseImages bases;
  BuildWorld world;
  SnapshotList snapshots;
  std::vector<EnvironmentBuild> builds;
  std::vector<std::string> problems;

 private:
  // Everything that is read from this machine before the session begins.
  struct Parts {
    std::unique_ptr<Describing> describing;
    Tree tree;
    std::vector<Environment> environments;
    StateFolder state;
    std::vector<ChosenEngine> hosts;
    std::optional<SigningKey> signing_key;
    std::vector<PublicKey> trusted;
  };
  static Parts read(const Options& options);
  Session(const Options& options, Parts parts);

  void decide_all(const Options& options);
  void look_into_containers();
  std::vector<Snapshot> images_of_hosts();
  void note_pulls();
  void look_further(const Options& options, const std::stop_token& stop);
  std::vector<std::vector<std::string>> layers_here();
  void ask_for_bases(Registry& registry, const std::vector<Snapshot>& found, const std::stop_token& stop);
};

// Bytes for all stages together: --memory, else what is free now; 0: no limit.
std::uint64_t memory_for_stages(const Options& options);

// The keys of --trust. Throws Error (BadInput) if one is invalid.
std::vector<PublicKey> trusted_keys(const Options& options);

// With --sign-with, pushed images are signed if runs of this state folder made them. `session` and `options`
// must outlive the queue; `engine` is the queue's.
void sign_pushes(PushOptions& pushes, Session& session, ContainerEngine& engine, const Options& options);

// Information about images in registries is cached in the user's cache folder. A request to stop ends all
// requests.
RegistryOptions registry_options(const Options& options, const std::stop_token& stop = {});

}  // namespace stagemake
