// Possible starting points of a build: a base image or a snapshot; whether it may be used, which of its
// packages are ready, and its cost in seconds. Pure.
//
// A package is ready in an image if it is installed in the tree's current version and with the fingerprint
// that a clean build would have (plan/build_fingerprint.h). Other packages are built again. make does so
// itself if a package depends on a rebuilt one or has another version; if make would trust its stamp, the
// package is uninstalled first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "plan/dependency_graphs.h"
#include "plan/stage_plan.h"
#include "snapshot/snapshot.h"

namespace stagemake {

struct Candidate {
  // Parent: the image of the stage before, with exactly its key, or the base image. Unfinished: left by a run
  // with the same key. Older: an image of the environment, of this or a later stage, finished or not, made
  // from other sources.
  enum class Kind { Parent, Unfinished, Older } kind = Kind::Parent;
  SnapshotPtr snapshot;   // null: the base image
  std::size_t ready = 0;  // wanted packages that need not be built
  std::vector<PackageId>
      to_build;  // the other wanted packages, sorted; an upper bound: configure may find some on the system
  std::vector<std::string> stale;     // installed and not ready, but make would not notice: to be uninstalled
  std::vector<std::string> removed;   // installed, but no longer in the tree
  std::vector<std::string> unwanted;  // installed, but a clean build would not have them
  double fetch_seconds = 0;           // to fetch it to this machine; 0: it is local
  double build_seconds = 0;           // to build the packages, one after the other
  std::string refused;                // why it may not be used; empty: it may be

  double seconds() const { return fetch_seconds + build_seconds; }
};

// What happens if the base image's content has changed under the same name since an image was built from it.
enum class BasePolicy {
  Follow,  // images built on the old content are no longer used
  Warn,    // they are used, and the change is reported
  Pin,     // they are used, and stages on the base image use the old content
};

// Known durations (schedule/predictions.h).
struct Costs {
  std::vector<double> package_seconds;  // by PackageId; if missing, kUnknownPackage
  std::vector<double> stage_seconds;    // by stage: without its packages; if missing, kUnknownStage
  std::function<double(const Snapshot&)> fetch_seconds;  // for an image in a registry; empty: 0
  std::set<PackageId> given = {};                        // packages whose seconds the user gave
  static constexpr double kUnknownPackage = 60, kUnknownStage = 30;

  double of_package(PackageId id) const {
    return id < package_seconds.size() ? package_seconds[id] : kUnknownPackage;
  }
  double of_stage(std::size_t stage) const {
    return stage < stage_seconds.size() ? stage_seconds[stage] : kUnknownStage;
  }
  double of_fetching(const Snapshot& snapshot) const {
    return snapshot.is_remote() && fetch_seconds ? fetch_seconds(snapshot) : 0;
  }
};

struct RestoreOptions {
  std::vector<std::size_t> targets;  // stages to build up to
  std::string base_digest;           // current digest of the base image; empty if unknown
  // Start from the base image: only images of this fresh build are used, with exactly the keys of the plan.
  bool fresh = false;
  std::string fresh_build = {};  // its name; empty: no image is used
  // Stages to build again: images that hold one of them are not used, except those of `fresh_build`.
  std::vector<std::size_t> rebuild = {};
  // Only images whose whole history is a clean build from the base image, and which are vouched for.
  bool clean_only = false;
  SnapshotPtr only = {};  // use this one only; null: any
  BasePolicy base_policy = BasePolicy::Follow;
  std::string cpu;  // this machine's features (base/process/machine.h); empty: not checked
  // The snapshot in the base image of an incremental environment, from its labels; null if they describe
  // none.
  SnapshotPtr base = {};
  std::map<SnapshotPtr, std::string> refused;  // images that were checked and must not be used, with the
                                               // reason
  Costs costs = {};
};

class CandidateJudge {
 public:
  // All arguments must outlive this object.
  CandidateJudge(const StagePlan& plan, DependencyGraphs& graphs, const RestoreOptions& options);

  bool same_environment(const Snapshot& snapshot) const;
  bool same_base(const Snapshot& snapshot) const;

  // Why an image must not be used, whatever its keys; empty if it may be.
  std::string unfit(const Snapshot& snapshot) const;
  // Why make must not continue in an image with other keys; empty if it may: then only files and make's
  // targets and variables differ. Includes unfit().
  std::string unfit_to_continue(const Snapshot& snapshot) const;

  // Fills in the ready, stale and removed packages, and the seconds.
  void weigh(Candidate& candidate) const;
  // Determines which of a snapshot's packages are stale, removed or unwanted, by the decisions of configure
  // in it.
  void judge_packages(const Snapshot& snapshot, Candidate& candidate) const;

 private:
  // The tree's packages with these decisions of configure.
  struct View {
    std::shared_ptr<const DependencyGraph> graph;
    std::vector<std::string> fingerprints;  // build fingerprints, by PackageId
    std::set<PackageId> wanted = {};        // by the target stages and those before them
    bool all_known = true;                  // no other package is wanted
  };
  const View& view(const std::optional<ConfiguredPackages>& configured) const;
  bool is_ready(const View& view, const Snapshot& snapshot, PackageId id) const;
  void judge(const View& view, const Snapshot& snapshot, Candidate& candidate) const;

  const StagePlan& plan_;
  DependencyGraphs& graphs_;
  const PackageIndex& packages_;
  const RestoreOptions& options_;
  mutable std::map<std::string, std::unique_ptr<View>> views_;  // by configured_text()
};

}  // namespace stagemake
