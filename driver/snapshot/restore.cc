#include "snapshot/restore.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace stagemake {
namespace {

class Decider {
 public:
  Decider(const StagePlan& plan, DependencyGraphs& graphs, const SnapshotList& snapshots,
          const RestoreOptions& options)
      : plan_(plan), snapshots_(snapshots), options_(options), judge_(plan, graphs, options) {}

  // Uses only local images, or also those in registries.
  std::vector<StageDecision> decide(bool with_remote) {
    with_remote_ = with_remote;
    std::vector<StageDecision> decisions(plan_.stages.size());
    for (std::size_t target : options_.targets)
      for (std::size_t stage : plan_.chain(target)) decisions[stage].action = StageDecision::Action::Build;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      StageDecision& decision = decisions[i];
      if (decision.action == StageDecision::Action::NotWanted) continue;
      if (SnapshotPtr image = holder(i, decisions)) {
        decision.action = StageDecision::Action::Reuse;
        decision.image = image;
        continue;
      }
      std::optional<std::size_t> parent = plan_.stages[i].parent;
      if (!parent || decisions[*parent].action != StageDecision::Action::Build) choose_start(i, decisions);
    }
    choose_commits(decisions);
    for (std::size_t i = 0; i < decisions.size(); ++i)
      if (decisions[i].action == StageDecision::Action::Build) explain(i, decisions);
    return decisions;
  }

 private:
  bool is_seen(const Snapshot& snapshot) const {
    if (snapshot.is_remote() && !with_remote_) return false;
    if (!options_.fresh_build.empty() && snapshot.fresh_build == options_.fresh_build) return true;
    return !options_.fresh && !held_to_rebuild(snapshot);
  }

  // The first stage in an image that is to be built again.
  std::optional<std::size_t> held_to_rebuild(const Snapshot& snapshot) const {
    std::optional<std::size_t> first;
    for (std::size_t stage : options_.rebuild)
      if (snapshot.holds(plan_.stages[stage].name) != nullptr) first = std::min(first.value_or(stage), stage);
    return first;
  }

  // The stage to be built again for which `stage` is built: itself, or the last one before it.
  std::optional<std::size_t> rebuilt_for(std::size_t stage) const {
    for (std::optional<std::size_t> at = stage; at; at = plan_.stages[*at].parent)
      if (std::find(options_.rebuild.begin(), options_.rebuild.end(), *at) != options_.rebuild.end())
        return at;
    return std::nullopt;
  }

  bool is_target(std::size_t stage) const {
    return std::find(options_.targets.begin(), options_.targets.end(), stage) != options_.targets.end();
  }

  // The best image that contains a stage, finished, with its key: the stage's own, then a finished later
  // one's, then what an unfinished later one left. A requested stage must have an image of its own, because
  // people pull it by its name.
  SnapshotPtr holder(std::size_t stage, const std::vector<StageDecision>& decisions) const {
    SnapshotPtr best;
    auto is_own = [&](const Snapshot& s) { return s.stage == plan_.stages[stage].name; };
    // Of the images of later stages, the one that contains the least beyond this stage: after a run it is the
    // one with its name.
    auto rank = [&](const Snapshot& s) {
      return std::tuple(is_own(s), s.complete, !s.is_remote(), -static_cast<int>(s.lineage.size()),
                        s.is_clean(), s.created, s.image);
    };
    for (const SnapshotPtr& shared : snapshots_) {
      const Snapshot& snapshot = *shared;
      const LineageEntry* entry = snapshot.holds(plan_.stages[stage].name);
      if (entry == nullptr || entry->key != plan_.stages[stage].key || !is_seen(snapshot)) continue;
      bool usable = is_own(snapshot) ? snapshot.complete && judge_.unfit(snapshot).empty()
                                     : !is_target(stage) && judge_.same_environment(snapshot) &&
                                           judge_.unfit_to_continue(snapshot).empty() &&
                                           is_on_way(stage, snapshot, decisions);
      if (usable && (best == nullptr || rank(snapshot) > rank(*best))) best = shared;
    }
    return best;
  }

  // Whether all wanted stages that continue from `stage` lead to the stage of `snapshot`: another branch
  // cannot start from it.
  bool is_on_way(std::size_t stage, const Snapshot& snapshot,
                 const std::vector<StageDecision>& decisions) const {
    std::vector<std::size_t> chain = plan_.chain(*plan_.table.find(snapshot.stage));
    for (std::size_t i = stage + 1; i < decisions.size(); ++i)
      if (plan_.stages[i].parent == stage && decisions[i].action != StageDecision::Action::NotWanted &&
          std::find(chain.begin(), chain.end(), i) == chain.end())
        return false;
    return true;
  }

  // The image from which a built stage starts, or from which the first built stage before it does; null: the
  // base image.
  SnapshotPtr start_of(std::size_t stage, const std::vector<StageDecision>& decisions) const {
    for (std::optional<std::size_t> at = stage; at; at = plan_.stages[*at].parent)
      if (decisions[*at].start) return decisions[*at].start->snapshot;
    return nullptr;
  }

  // Whether an image contains a stage as finished.
  bool is_finished(std::size_t stage, const Snapshot& snapshot) const {
    const std::string& name = plan_.stages[stage].name;
    return snapshot.holds(name) != nullptr && (snapshot.complete || snapshot.stage != name);
  }

  // Sets the image to compare a built stage with, the differences, and the image that is not used.
  void explain(std::size_t stage, std::vector<StageDecision>& decisions) const {
    const PlannedStage& planned = plan_.stages[stage];
    StageDecision& decision = decisions[stage];
    SnapshotPtr start = start_of(stage, decisions);
    decision.rebuilt = rebuilt_for(stage);
    for (const SnapshotPtr& shared : snapshots_) {
      const Snapshot& snapshot = *shared;
      if (!is_finished(stage, snapshot)) continue;
      bool same_key = snapshot.holds(planned.name)->key == planned.key;
      if (same_key && shared != start &&
          (decision.unused == nullptr || says_more(planned.name, snapshot, *decision.unused)))
        if (std::string why = why_unused(stage, snapshot, decisions); !why.empty()) {
          decision.unused = shared;
          decision.unused_why = std::move(why);
        }
      if (options_.fresh || !judge_.same_environment(snapshot)) continue;
      if (decision.older == nullptr || snapshot.created > decision.older->created) decision.older = shared;
    }
    if (options_.fresh) return;
    if (start != nullptr && is_finished(stage, *start)) decision.older = start;
    if (decision.older != nullptr) note_changes(stage, decision);
  }

  // The stage's own image is more informative than a later one's, a newer one more than an older one.
  static bool says_more(const std::string& stage, const Snapshot& one, const Snapshot& other) {
    return std::tuple(one.stage == stage, one.created) > std::tuple(other.stage == stage, other.created);
  }

  // Why an image that contains a stage with exactly its key is not used for it; empty if this needs no
  // explanation.
  std::string why_unused(std::size_t stage, const Snapshot& snapshot,
                         const std::vector<StageDecision>& decisions) const {
    bool is_own = snapshot.stage == plan_.stages[stage].name;
    if (rebuilt_for(stage)) return {};  // that explains it
    if (std::optional<std::size_t> held = held_to_rebuild(snapshot); held && !is_seen(snapshot))
      return "it holds " + plan_.stages[*held].name + ", which is to be built again";
    if (options_.fresh)
      return snapshot.fresh_build == options_.fresh_build && !options_.fresh_build.empty()
                 ? ""
                 : "--fresh starts from the base image";
    if (std::string why = is_own ? judge_.unfit(snapshot) : judge_.unfit_to_continue(snapshot); !why.empty())
      return why;
    if (!is_own && !judge_.same_environment(snapshot)) return {};
    if (!is_own && is_target(stage)) return "it is of a later stage, and an image of this stage is requested";
    if (!is_own && !is_on_way(stage, snapshot, decisions))
      return "other requested stages do not continue from it";
    if (!is_seen(snapshot)) return "fetching it would take longer than building";
    return {};
  }

  void note_changes(std::size_t stage, StageDecision& decision) const {
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
    bool other_name = std::any_of(decision.changes.begin(), decision.changes.end(),
                                  [](const InputChange& change) { return change.input == kBaseImageInput; });
    if (!other_name && !judge_.same_base(*decision.older) && !plan_.stages[stage].parent)
      decision.changes.push_back(
          {"content of the base image", decision.older->base_digest, options_.base_digest});
  }

  // A snapshot as a candidate for a stage to be built; nullopt if it is not one.
  std::optional<Candidate> candidate(std::size_t stage, const SnapshotPtr& shared) const {
    const Snapshot& snapshot = *shared;
    if (!judge_.same_environment(snapshot)) return std::nullopt;
    bool same_key = snapshot.stage == plan_.stages[stage].name && snapshot.key() == plan_.stages[stage].key;
    std::optional<std::size_t> at = plan_.table.find(snapshot.stage);
    if (!snapshot.complete && same_key)
      return Candidate{
          .kind = Candidate::Kind::Unfinished, .snapshot = shared, .refused = judge_.unfit(snapshot)};
    if (!at || options_.fresh) return std::nullopt;
    // A first stage is never built in an older image, but the reason why an image may not be used explains
    // why it is built.
    if (!plan_.stages[stage].parent) {
      std::string why = judge_.unfit(snapshot);
      if (why.empty()) return std::nullopt;
      return Candidate{.kind = Candidate::Kind::Older, .snapshot = shared, .refused = std::move(why)};
    }
    std::vector<std::size_t> chain = plan_.chain(*at);
    if (std::find(chain.begin(), chain.end(), stage) == chain.end()) return std::nullopt;
    return Candidate{
        .kind = Candidate::Kind::Older, .snapshot = shared, .refused = judge_.unfit_to_continue(snapshot)};
  }

  void choose_start(std::size_t stage, std::vector<StageDecision>& decisions) const {
    StageDecision& decision = decisions[stage];
    std::optional<std::size_t> parent = plan_.stages[stage].parent;
    std::vector<Candidate>& all = decision.candidates;
    SnapshotPtr parent_image = parent ? decisions[*parent].image : nullptr;
    // An image that contains more than the parent is found among the older ones below.
    if (parent_image == nullptr || parent_image->stage == plan_.stages[*parent].name)
      all.push_back({.kind = Candidate::Kind::Parent, .snapshot = parent_image});
    for (const SnapshotPtr& snapshot : snapshots_)
      if (is_seen(*snapshot))
        if (std::optional<Candidate> one = candidate(stage, snapshot)) all.push_back(std::move(*one));
    for (Candidate& one : all) weigh(stage, one, decisions);
    auto rank = [](const Candidate& c) {
      int preference = c.kind == Candidate::Kind::Unfinished ? 2 : c.kind == Candidate::Kind::Parent ? 1 : 0;
      return std::tuple(c.refused.empty(), -c.seconds(), preference,
                        c.snapshot == nullptr ? 0 : c.snapshot->created);
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Candidate& a, const Candidate& b) { return rank(a) > rank(b); });
    begin(stage, decisions);
  }

  void weigh(std::size_t stage, Candidate& one, const std::vector<StageDecision>& decisions) const {
    judge_.weigh(one);
    for (std::size_t again : done_again(stage, one)) {
      one.build_seconds += options_.costs.of_stage(again);
      if (!one.refused.empty() || !(is_target(again) || has_other_users(again, stage, decisions))) continue;
      one.refused =
          plan_.stages[again].name + " would have to run again in it, but its image is requested unchanged";
    }
  }

  // The stages before `stage` that an older image contains from other sources, if make would not notice, and
  // the stages after them.
  std::vector<std::size_t> done_again(std::size_t stage, const Candidate& one) const {
    std::vector<std::size_t> again;
    if (one.kind != Candidate::Kind::Older) return again;
    for (std::size_t before : plan_.chain(stage)) {
      if (before == stage) break;
      const LineageEntry* entry = one.snapshot->holds(plan_.stages[before].name);
      bool is_same = entry != nullptr && entry->key == plan_.stages[before].key;
      bool is_makes = !plan_.table.stages[before].make_targets.empty();
      if (!again.empty() || (!is_same && !is_makes)) again.push_back(before);
    }
    return again;
  }

  // Whether a stage that is not on the way to `stage` is to be built on `before`.
  bool has_other_users(std::size_t before, std::size_t stage,
                       const std::vector<StageDecision>& decisions) const {
    std::vector<std::size_t> chain = plan_.chain(stage);
    for (std::size_t i = 0; i < decisions.size(); ++i)
      if (plan_.stages[i].parent == before && decisions[i].action != StageDecision::Action::NotWanted &&
          std::find(chain.begin(), chain.end(), i) == chain.end())
        return true;
    return false;
  }

  // Starts from the best candidate, with the earlier stages that must run again in it.
  void begin(std::size_t stage, std::vector<StageDecision>& decisions) const {
    std::vector<Candidate> all = std::move(decisions[stage].candidates);
    std::vector<std::size_t> again = done_again(stage, all.front());
    for (std::size_t before : again) {
      decisions[before].action = StageDecision::Action::Build;
      decisions[before].image = nullptr;
    }
    StageDecision& first = decisions[again.empty() ? stage : again.front()];
    first.start = all.front();
    first.candidates = std::move(all);
  }

  // A clean build commits every stage. A build that continues in an older image commits only the requested
  // stages and branching points: a commit costs seconds and a layer, and the committed image also contains
  // the stages before it.
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
  const SnapshotList& snapshots_;
  const RestoreOptions& options_;
  CandidateJudge judge_;
  bool with_remote_ = false;
};

}  // namespace

void judge_packages(const StagePlan& plan, DependencyGraphs& graphs, const RestoreOptions& options,
                    const Snapshot& snapshot, Candidate& candidate) {
  CandidateJudge(plan, graphs, options).judge_packages(snapshot, candidate);
}

double predicted_seconds(const std::vector<StageDecision>& decisions, const RestoreOptions& options) {
  double seconds = 0;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const StageDecision& decision = decisions[i];
    bool is_target = std::find(options.targets.begin(), options.targets.end(), i) != options.targets.end();
    if (decision.action == StageDecision::Action::Reuse && is_target)
      seconds += options.costs.of_fetching(*decision.image);
    if (decision.action != StageDecision::Action::Build) continue;
    seconds += options.costs.of_stage(i);
    if (decision.start) seconds += decision.start->seconds();
  }
  return seconds;
}

std::vector<StageDecision> decide(const StagePlan& plan, DependencyGraphs& graphs,
                                  const SnapshotList& snapshots, const RestoreOptions& options) {
  Decider decider(plan, graphs, snapshots, options);
  std::vector<StageDecision> here = decider.decide(false);
  bool any_remote =
      std::any_of(snapshots.begin(), snapshots.end(), [](const SnapshotPtr& s) { return s->is_remote(); });
  if (!any_remote) return here;
  std::vector<StageDecision> anywhere = decider.decide(true);
  bool only_there = options.only != nullptr && options.only->is_remote();
  return only_there || predicted_seconds(anywhere, options) < predicted_seconds(here, options) ? anywhere
                                                                                               : here;
}

}  // namespace stagemake
