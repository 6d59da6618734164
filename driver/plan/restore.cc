#include "plan/restore.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace stagemake {
namespace {

class Decider {
 public:
  Decider(const StagePlan& plan, const PackageIndex& packages, const DependencyGraph& graph,
          const std::vector<Snapshot>& snapshots, const RestoreOptions& options)
      : plan_(plan), packages_(packages), graph_(graph), snapshots_(snapshots), options_(options) {}

  std::vector<StageDecision> decide() {
    std::vector<StageDecision> decisions(plan_.stages.size());
    for (std::size_t target : options_.targets)
      for (std::size_t stage : plan_.chain(target)) decisions[stage].action = StageDecision::Action::Build;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      StageDecision& decision = decisions[i];
      if (decision.action == StageDecision::Action::NotWanted) continue;
      if (const Snapshot* image = options_.fresh ? nullptr : holder(i, decisions)) {
        decision.action = StageDecision::Action::Reuse;
        decision.image = image;
        continue;
      }
      explain(i, decision);
      std::optional<std::size_t> parent = plan_.stages[i].parent;
      if (!parent || decisions[*parent].action != StageDecision::Action::Build) choose_start(i, decisions);
    }
    choose_commits(decisions);
    return decisions;
  }

 private:
  bool same_base(const Snapshot& snapshot) const {
    return options_.base_digest.empty() || snapshot.base_digest.empty() ||
           snapshot.base_digest == options_.base_digest;
  }

  bool is_target(std::size_t stage) const {
    return std::find(options_.targets.begin(), options_.targets.end(), stage) != options_.targets.end();
  }

  // The best image that holds a stage, finished, with its key: the stage's own, then a finished later one's,
  // then what is left of a later one. A stage that was asked for must have an image of its own: people pull
  // it by its name.
  const Snapshot* holder(std::size_t stage, const std::vector<StageDecision>& decisions) const {
    const Snapshot* best = nullptr;
    auto is_own = [&](const Snapshot& s) { return s.stage == plan_.stages[stage].name; };
    // Of later stages' images the one that holds the least beyond this stage: after a run it is the one with
    // its name.
    auto rank = [&](const Snapshot& s) {
      return std::tuple(is_own(s), s.complete, -static_cast<int>(s.lineage.size()), s.clean, s.created,
                        s.image);
    };
    for (const Snapshot& snapshot : snapshots_) {
      const LineageEntry* entry = snapshot.holds(plan_.stages[stage].name);
      if (entry == nullptr || entry->key != plan_.stages[stage].key || !same_base(snapshot)) continue;
      bool usable = is_own(snapshot) ? snapshot.complete
                                     : !is_target(stage) && may_continue_in(snapshot) &&
                                           is_on_way(stage, snapshot, decisions);
      if (usable && (best == nullptr || rank(snapshot) > rank(*best))) best = &snapshot;
    }
    return best;
  }

  // Whether all wanted stages that go on from `stage` lead to the stage of `snapshot`: another branch cannot
  // begin in it.
  bool is_on_way(std::size_t stage, const Snapshot& snapshot,
                 const std::vector<StageDecision>& decisions) const {
    std::vector<std::size_t> chain = plan_.chain(*plan_.table.find(snapshot.stage));
    for (std::size_t i = stage + 1; i < decisions.size(); ++i)
      if (plan_.stages[i].parent == stage && decisions[i].action != StageDecision::Action::NotWanted &&
          std::find(chain.begin(), chain.end(), i) == chain.end())
        return false;
    return true;
  }

  bool same_environment(const Snapshot& snapshot) const {
    return snapshot.distribution == plan_.table.distribution &&
           snapshot.environment == plan_.environment.name;
  }

  void explain(std::size_t stage, StageDecision& decision) const {
    for (const Snapshot& snapshot : snapshots_) {
      if (!same_environment(snapshot) || snapshot.holds(plan_.stages[stage].name) == nullptr) continue;
      if (!snapshot.complete && snapshot.stage == plan_.stages[stage].name) continue;
      if (decision.older == nullptr || snapshot.created > decision.older->created) decision.older = &snapshot;
    }
    if (decision.older == nullptr) return;
    std::vector<KeyInput> before = decision.older->holds(plan_.stages[stage].name)->inputs;
    for (const KeyInput& now : plan_.stages[stage].inputs) {
      auto was = std::find_if(before.begin(), before.end(),
                              [&](const KeyInput& input) { return input.name == now.name; });
      if (was == before.end())
        decision.changes.push_back({now.name, "", now.value});
      else if (was->value != now.value)
        decision.changes.push_back({now.name, was->value, now.value});
      if (was != before.end()) before.erase(was);
    }
    for (const KeyInput& gone : before) decision.changes.push_back({gone.name, gone.value, ""});
    if (!same_base(*decision.older) && !plan_.stages[stage].parent)
      decision.changes.push_back(
          {"content of the base image", decision.older->base_digest, options_.base_digest});
  }

  // Whether make may go on in an image whose keys are other: only files differ, and what make is told.
  bool may_continue_in(const Snapshot& snapshot) const {
    if (!same_environment(snapshot) || !same_base(snapshot)) return false;
    for (const LineageEntry& entry : snapshot.lineage) {
      std::optional<std::size_t> at = plan_.table.find(entry.stage);
      if (!at) return false;
      const PlannedStage& stage = plan_.stages[*at];
      if (!stage.parent && entry.key != stage.key) return false;
      if (!plan_.table.stages[*at].make_targets.empty()) continue;
      auto differs = [&](const KeyInput& input) {
        const std::vector<std::string>& files = plan_.table.stages[*at].adds;
        bool is_file = std::find(files.begin(), files.end(), input.name) != files.end();
        return input.name != kParentInput && !is_file &&
               std::find(entry.inputs.begin(), entry.inputs.end(), input) == entry.inputs.end();
      };
      if (std::any_of(stage.inputs.begin(), stage.inputs.end(), differs)) return false;
    }
    return true;
  }

  // The packages that the stages to be built want installed at the end: theirs and those of the stages
  // before.
  std::set<PackageId> wanted() const {
    std::set<PackageId> all;
    for (std::size_t target : options_.targets)
      for (std::size_t stage : plan_.chain(target))
        all.insert(plan_.stages[stage].packages.begin(), plan_.stages[stage].packages.end());
    return all;
  }

  void weigh(Candidate& candidate) const {
    std::set<PackageId> all = wanted();
    const Snapshot* from = candidate.snapshot != nullptr ? candidate.snapshot : options_.base;
    if (from == nullptr) {
      candidate.to_build.assign(all.begin(), all.end());
      return;
    }
    judge_packages(plan_, packages_, *from, candidate);
    const auto& installed = from->packages;
    std::vector<PackageId> to_build;
    for (PackageId id : all) {
      auto found = installed.find(packages_[id].name);
      if (graph_.is_forced(id) || found == installed.end() ||
          found->second.version != packages_[id].version || found->second.fingerprint.empty() ||
          found->second.fingerprint != plan_.fingerprints[id])
        to_build.push_back(id);
    }
    std::set<PackageId> not_ready(to_build.begin(), to_build.end());
    for (PackageId id : graph_.rebuilt_with(to_build))
      if (all.contains(id)) not_ready.insert(id);
    candidate.ready = all.size() - not_ready.size();
    candidate.to_build.assign(not_ready.begin(), not_ready.end());
  }

  void choose_start(std::size_t stage, std::vector<StageDecision>& decisions) const {
    StageDecision& decision = decisions[stage];
    std::optional<std::size_t> parent = plan_.stages[stage].parent;
    std::vector<Candidate>& all = decision.candidates;
    const Snapshot* parent_image = parent ? decisions[*parent].image : nullptr;
    // An image that holds more than the parent is found among the older ones below.
    if (parent_image == nullptr || parent_image->stage == plan_.stages[*parent].name)
      all.push_back({.kind = Candidate::Kind::Parent, .snapshot = parent_image});
    for (const Snapshot& snapshot : snapshots_) {
      if (options_.fresh) break;
      bool same_key = snapshot.stage == plan_.stages[stage].name && snapshot.key() == plan_.stages[stage].key;
      if (!snapshot.complete && same_key && same_base(snapshot) && same_environment(snapshot)) {
        all.push_back({.kind = Candidate::Kind::Unfinished, .snapshot = &snapshot});
      } else if (std::optional<std::size_t> at = plan_.table.find(snapshot.stage);
                 at && parent && may_continue_in(snapshot)) {
        std::vector<std::size_t> chain = plan_.chain(*at);
        if (std::find(chain.begin(), chain.end(), stage) != chain.end())
          all.push_back({.kind = Candidate::Kind::Older, .snapshot = &snapshot});
      }
    }
    for (Candidate& candidate : all) weigh(candidate);
    auto rank = [](const Candidate& c) {
      int preference = c.kind == Candidate::Kind::Unfinished ? 2 : c.kind == Candidate::Kind::Parent ? 1 : 0;
      return std::tuple(c.ready, preference, c.snapshot == nullptr ? 0 : c.snapshot->created);
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Candidate& a, const Candidate& b) { return rank(a) > rank(b); });
    decision.start = all.front();
  }

  // A clean build keeps every stage. One that goes on in an older image keeps what was asked for and where
  // stages branch: a commit costs seconds and a layer, and the image kept holds the stages before it as well.
  void choose_commits(std::vector<StageDecision>& decisions) const {
    std::vector<bool> in_older(decisions.size());
    std::vector<unsigned> built_children(decisions.size());
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      if (decisions[i].action != StageDecision::Action::Build) continue;
      std::optional<std::size_t> parent = plan_.stages[i].parent;
      in_older[i] =
          decisions[i].start ? decisions[i].start->kind == Candidate::Kind::Older : in_older[*parent];
      if (parent) ++built_children[*parent];
    }
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      decisions[i].commit = decisions[i].action == StageDecision::Action::Build &&
                            (!in_older[i] || is_target(i) || built_children[i] != 1);
    }
  }

  const StagePlan& plan_;
  const PackageIndex& packages_;
  const DependencyGraph& graph_;
  const std::vector<Snapshot>& snapshots_;
  const RestoreOptions& options_;
};

}  // namespace

void judge_packages(const StagePlan& plan, const PackageIndex& packages, const Snapshot& snapshot,
                    Candidate& candidate) {
  for (const auto& [name, installed] : snapshot.packages) {
    std::optional<PackageId> id = packages.find(name);
    if (!id)
      candidate.removed.push_back(name);
    else if (installed.fingerprint.empty() ||
             (installed.version == packages[*id].version && installed.fingerprint != plan.fingerprints[*id]))
      candidate.stale.push_back(name);
  }
}

std::vector<StageDecision> decide(const StagePlan& plan, const PackageIndex& packages,
                                  const DependencyGraph& graph, const std::vector<Snapshot>& snapshots,
                                  const RestoreOptions& options) {
  return Decider(plan, packages, graph, snapshots, options).decide();
}

}  // namespace stagemake
