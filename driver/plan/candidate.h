// Where a build may begin: a base image, or a snapshot; whether it may be used, what in it is ready, and what
// beginning there costs in seconds. Pure.
//
// A package is ready in an image if it is installed there in the version that the tree has now, and was built
// from what a clean build would build it from (plan/build_fingerprint.h). What is not is built again: by make
// itself where it needs something that is, or has another version; where make would believe its stamp, it is
// uninstalled first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "plan/dependency_graph.h"
#include "plan/snapshot.h"
#include "plan/stage_plan.h"

namespace stagemake {

struct Candidate {
  // Parent: the image of the stage before, with its very key, or the base image. Unfinished: left of a run
  // with the same key. Older: of the environment, of this or a later stage, finished or not; made from other
  // sources.
  enum class Kind { Parent, Unfinished, Older } kind = Kind::Parent;
  const Snapshot* snapshot = nullptr;  // null: the base image
  std::size_t ready = 0;               // wanted packages that need no building
  std::vector<PackageId>
      to_build;  // the other wanted ones, sorted; an upper bound: configure may find some on the system
  std::vector<std::string> stale;     // installed and not ready, and make would not see it: to be uninstalled
  std::vector<std::string> removed;   // installed, and no more in the tree
  std::vector<std::string> unwanted;  // installed, and a clean build would not have them
  double fetch_seconds = 0;           // to bring it to this machine; 0: it is here
  double build_seconds = 0;           // of the packages to be built, one after the other
  std::string refused;                // why it may not be used; empty: it may

  double seconds() const { return fetch_seconds + build_seconds; }
};

// What happens where the base image's name means other content than when an image was built from it.
enum class BasePolicy {
  Follow,  // what was built on the old content is not used any more
  Warn,    // it is used all the same, and the move is told
  Pin,     // it is used, and what begins at the base image begins at the old content
};

// How long things take, as far as that is known (plan/predictions.h).
struct Costs {
  std::vector<double> package_seconds;  // by PackageId; empty: kUnknownPackage each
  std::vector<double>
      stage_seconds;  // by stage: what it takes beside its packages; empty: kUnknownStage each
  std::function<double(const Snapshot&)> fetch_seconds;  // of one that is in a registry; empty: 0
  std::set<PackageId> given = {};                        // whose seconds a person said
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
  std::string base_digest;           // what the base image's name means now; empty where that is not known
  // From the base image on: only images of this fresh build are used, with the very keys of the plan.
  bool fresh = false;
  std::string fresh_build = {};      // its name; empty: no image is used
  bool clean_only = false;           // only images that were built from the base image in one line
  const Snapshot* only = nullptr;    // this one and no other; null: any
  BasePolicy base_policy = BasePolicy::Follow;
  std::string cpu;  // this machine's features (base/machine.h); empty: not looked at
  // What the base image of an incremental environment says it holds; null where it says nothing.
  const Snapshot* base = nullptr;
  std::map<const Snapshot*, std::string> refused;  // not to be used, with the reason: they were looked at
  Costs costs = {};
};

class CandidateJudge {
 public:
  // All must outlive it.
  CandidateJudge(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
                 const RestoreOptions& options);

  bool same_environment(const Snapshot& snapshot) const;
  bool same_base(const Snapshot& snapshot) const;

  // Why an image, whatever its keys, must not be used; empty where it may be.
  std::string unfit(const Snapshot& snapshot) const;
  // Why make must not go on in an image whose keys are other; empty where it may: only files differ, and what
  // make is told. Includes unfit().
  std::string unfit_to_continue(const Snapshot& snapshot) const;

  // Fills in what is ready, stale, removed, and the seconds.
  void weigh(Candidate& candidate) const;
  // What of a snapshot's packages is stale, removed or unwanted, after what configure decided in it.
  void judge_packages(const Snapshot& snapshot, Candidate& candidate) const;

 private:
  // The tree's packages where configure decided so.
  struct View {
    DependencyGraph graph;
    std::vector<std::string> fingerprints;  // of builds, by PackageId
    std::set<PackageId> wanted = {};        // by the stages asked for, and those before them
    bool all_known = true;                  // nothing else is wanted
  };
  const View& view(const std::optional<ConfiguredPackages>& configured) const;
  bool is_ready(const View& view, const Snapshot& snapshot, PackageId id) const;
  void judge(const View& view, const Snapshot& snapshot, Candidate& candidate) const;

  const StagePlan& plan_;
  const PackageIndex& packages_;
  const MakeVariables& variables_;
  const RestoreOptions& options_;
  mutable std::map<std::string, std::unique_ptr<View>> views_;  // by configured_text()
};

}  // namespace stagemake
