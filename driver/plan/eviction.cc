#include "plan/eviction.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "plan/explanation.h"

namespace stagemake {
namespace {

using NamedStage = std::pair<std::string, std::string>;  // environment and stage

constexpr std::int64_t kDay = 86'400;

bool lies_on(const std::vector<std::string>& layers, const std::vector<std::string>& below) {
  return !below.empty() && below.size() <= layers.size() &&
         std::equal(below.begin(), below.end(), layers.begin());
}

bool is_newer(const Snapshot& a, const Snapshot& b) {
  return std::tie(a.created, a.image) > std::tie(b.created, b.image);
}

// Whether a finished stage with this key is in the image.
bool holds_key(const Snapshot& snapshot, const std::string& stage, const std::string& key) {
  const LineageEntry* entry = snapshot.holds(stage);
  return entry != nullptr && entry->key == key && (snapshot.complete || snapshot.stage != stage);
}

class Evictor {
 public:
  Evictor(const EvictionQuestion& question, const EvictionPolicy& policy)
      : question_(question), policy_(policy), snapshots_(question.snapshots), images_(snapshots_.size()) {
    find_parents();
    find_holders();
    for (std::size_t i = 0; i < images_.size(); ++i) {
      images_[i].superseded = superseded(i);
      images_[i].stays = reason_to_stay(i);
      if (is_counted(i)) plan_.left += images_[i].bytes;
      add_items(i);
    }
  }

  EvictionPlan plan() {
    while (!is_met()) {
      std::vector<std::size_t> group = cheapest();
      if (group.empty()) break;
      for (std::size_t member : group) evict(member, group.front());
    }
    tell_unmet();
    for (std::size_t i = 0; i < images_.size(); ++i)
      if (is_counted(i) && images_[i].present) plan_.kept.push_back({&snapshots_[i], kept_because(i)});
    return std::move(plan_);
  }

 private:
  struct Image {
    std::optional<std::size_t> parent;  // on which it lies
    std::size_t children = 0;           // present ones that lie on it
    std::uint64_t bytes = 0;            // its own
    bool present = true;
    std::string superseded;          // by what; empty: it is not
    std::string stays;               // why; empty: it may go
    std::vector<std::size_t> items;  // what it holds
  };

  bool is_counted(std::size_t i) const {
    return question_.environments.empty() || question_.environments.contains(snapshots_[i].environment);
  }

  // --- What lies on what.

  // Of images with the same layers the older one lies below.
  bool is_below(std::size_t below, std::size_t i) const {
    if (below == i || !lies_on(snapshots_[i].layer_ids, snapshots_[below].layer_ids)) return false;
    return snapshots_[below].layer_ids.size() < snapshots_[i].layer_ids.size() ||
           is_newer(snapshots_[i], snapshots_[below]);
  }

  void find_parents() {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      std::uint64_t below = 0;
      for (const BaseImage& base : question_.base_images)
        if (lies_on(snapshots_[i].layer_ids, base.layer_ids)) below = std::max(below, base.size);
      std::optional<std::size_t>& parent = images_[i].parent;
      for (std::size_t other = 0; other < images_.size(); ++other)
        if (is_below(other, i) && (!parent || is_below(*parent, other))) parent = other;
      if (parent) ++images_[*parent].children;
      if (parent) below = snapshots_[*parent].size;
      images_[i].bytes = snapshots_[i].size - std::min(snapshots_[i].size, below);
    }
  }

  // --- What must stay.

  // The newest complete image that holds each stage of an environment, and the newest named one of its own.
  void find_holders() {
    auto improve = [&](std::map<NamedStage, std::size_t>& newest, const std::string& stage, std::size_t i) {
      auto [found, is_first] = newest.try_emplace({snapshots_[i].environment, stage}, i);
      if (!is_first && is_newer(snapshots_[i], snapshots_[found->second])) found->second = i;
    };
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const Snapshot& snapshot = snapshots_[i];
      if (!snapshot.complete) improve(newest_unfinished_, snapshot.stage, i);
      if (!snapshot.complete) continue;
      for (const LineageEntry& entry : snapshot.lineage) improve(newest_holder_, entry.stage, i);
      if (!snapshot.names.empty()) improve(newest_own_, snapshot.stage, i);
    }
  }

  bool is_newest(const std::map<NamedStage, std::size_t>& newest, const std::string& stage,
                 std::size_t i) const {
    auto found = newest.find({snapshots_[i].environment, stage});
    return found != newest.end() && found->second == i;
  }

  // Where an image is of the future the clock was set back, and what is dated earlier may have been made
  // later.
  bool is_surely_newer(const Snapshot& a, const Snapshot& b) const {
    return is_newer(a, b) && a.created <= question_.now;
  }

  std::string superseded(std::size_t i) const {
    const Snapshot& snapshot = snapshots_[i];
    if (!snapshot.complete)
      for (const Snapshot& other : snapshots_)
        if (other.environment == snapshot.environment && holds_key(other, snapshot.stage, snapshot.key()) &&
            (is_surely_newer(other, snapshot) || snapshot.fresh_build.empty() ||
             other.fresh_build == snapshot.fresh_build))
          return fmt::format("superseded: {} holds {}, finished", display_name(other), snapshot.stage);
    if (!snapshot.names.empty()) return {};
    for (const auto* newest : {&newest_holder_, &newest_unfinished_}) {
      auto found = newest->find({snapshot.environment, snapshot.stage});
      bool counts = newest == &newest_holder_ || !snapshot.complete;
      if (counts && found != newest->end() && is_surely_newer(snapshots_[found->second], snapshot))
        return fmt::format("superseded: no name points to it, and {} is newer",
                           display_name(snapshots_[found->second]));
    }
    return {};
  }

  // Whatever the limits are; empty: nothing keeps it but what lies on it.
  std::string reason_to_stay(std::size_t i) const {
    const Snapshot& snapshot = snapshots_[i];
    if (!is_counted(i)) return fmt::format("{} was not asked for", snapshot.environment);
    if (auto found = question_.locked.find(snapshot.environment); found != question_.locked.end())
      return found->second;
    if (std::string other = wanted_by_locked(snapshot); !other.empty()) return other;
    if (question_.in_use.contains(snapshot.image)) return "a container or an image of another's uses it";
    for (const LineageEntry& entry : snapshot.lineage)
      if (is_newest(newest_holder_, entry.stage, i))
        return fmt::format("the newest complete image of {}", entry.stage);
    if (is_newest(newest_own_, snapshot.stage, i))
      return fmt::format("the newest complete image of {} alone", snapshot.stage);
    if (is_newest(newest_unfinished_, snapshot.stage, i) && !is_key_held(snapshot))
      return fmt::format("the next build of {} goes on in it", snapshot.stage);
    if (policy_.keep_days && snapshot.created > question_.now - kDay * *policy_.keep_days)
      return fmt::format("--keep-days {}", *policy_.keep_days);
    if (snapshot.complete && rank(i) < policy_.keep) return fmt::format("--keep {}", policy_.keep);
    return {};
  }

  bool is_key_held(const Snapshot& partial) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](const Snapshot& other) {
      return other.environment == partial.environment && holds_key(other, partial.stage, partial.key());
    });
  }

  // Environments with the same stages use each other's images.
  std::string wanted_by_locked(const Snapshot& snapshot) const {
    for (const Snapshot& other : snapshots_) {
      auto found = question_.locked.find(other.environment);
      const LineageEntry* entry = other.holds(snapshot.stage);
      if (found != question_.locked.end() && entry != nullptr && entry->key == snapshot.key())
        return fmt::format("{}, which has the same stage", found->second);
    }
    return {};
  }

  // How many complete images of the same environment and stage are newer.
  unsigned rank(std::size_t i) const {
    return static_cast<unsigned>(
        std::count_if(snapshots_.begin(), snapshots_.end(), [&](const Snapshot& other) {
          return other.complete && other.environment == snapshots_[i].environment &&
                 other.stage == snapshots_[i].stage && is_newer(other, snapshots_[i]);
        }));
  }

  // --- What it would take to have it again.

  void add_items(std::size_t i) {
    const Snapshot& snapshot = snapshots_[i];
    auto add = [&](const std::string& what, double seconds) {
      auto [found, is_new] = item_of_.try_emplace(snapshot.environment + "\n" + what, item_of_.size());
      if (is_new) seconds_.push_back(seconds), kept_with_.push_back(0);
      ++kept_with_[found->second];
      images_[i].items.push_back(found->second);
    };
    for (const auto& [name, package] : snapshot.packages)
      add(fmt::format("{}\n{}\n{}", name, package.version, package.fingerprint),
          question_.predictions.package(snapshot.environment, name).seconds);
    for (const LineageEntry& entry : snapshot.lineage) {
      std::optional<std::size_t> at = question_.table.find(entry.stage);
      bool finished = snapshot.complete || entry.stage != snapshot.stage;
      if (!at || !finished || !question_.table.stages[*at].make_targets.empty()) continue;
      add(entry.stage + "\n" + entry.key,
          question_.predictions.stage_seconds(snapshot.environment, entry.stage).value_or(kUnknownPackage));
    }
  }

  double rebuild_seconds(std::size_t i) const {
    double sum = 0;
    for (std::size_t item : images_[i].items)
      if (kept_with_[item] == 1) sum += seconds_[item];
    return sum;
  }

  // --- What goes.

  bool may_go(std::size_t i) const {
    return images_[i].stays.empty() && (policy_.has_limit() || !images_[i].superseded.empty());
  }

  // What goes with an image on which nothing lies: what has no name, and only this one on it. Empty where one
  // of them must stay.
  std::vector<std::size_t> group_of(std::size_t leaf) const {
    std::vector<std::size_t> group;
    for (std::optional<std::size_t> at = leaf; at; at = images_[*at].parent) {
      if (*at != leaf && (!snapshots_[*at].names.empty() || images_[*at].children > 1)) break;
      if (!may_go(*at)) return {};
      group.push_back(*at);
    }
    return group;
  }

  std::vector<std::size_t> cheapest() {
    std::vector<std::size_t> best;
    std::tuple<double, std::int64_t, std::string> least;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (!images_[i].present || images_[i].children > 0) continue;
      std::vector<std::size_t> group = group_of(i);
      if (group.empty()) continue;
      double seconds = 0, bytes = 0;
      for (std::size_t member : group) {
        for (std::size_t item : images_[member].items)
          seconds += --kept_with_[item] == 0 ? seconds_[item] : 0;
        bytes += static_cast<double>(images_[member].bytes);
      }
      for (std::size_t member : group)
        for (std::size_t item : images_[member].items) ++kept_with_[item];
      std::tuple cost(seconds / std::max(bytes, 1.0), snapshots_[i].created, snapshots_[i].image);
      if (best.empty() || cost < least) best = std::move(group), least = std::move(cost);
    }
    return best;
  }

  void evict(std::size_t i, std::size_t leaf) {
    Image& image = images_[i];
    std::string why = !image.superseded.empty() ? image.superseded
                      : i == leaf
                          ? limits_text()
                          : fmt::format("it has no name, and goes with {}", display_name(snapshots_[leaf]));
    plan_.evictions.push_back({&snapshots_[i], image.bytes, rebuild_seconds(i), std::move(why)});
    plan_.freed += image.bytes;
    plan_.left -= image.bytes;
    image.present = false;
    if (image.parent) --images_[*image.parent].children;
    for (std::size_t item : image.items) --kept_with_[item];
  }

  // --- Limits.

  bool is_too_large() const { return policy_.max_size && plan_.left > *policy_.max_size; }
  bool is_too_full() const {
    return policy_.min_free && question_.free && *question_.free + plan_.freed < *policy_.min_free;
  }
  // Without a limit all goes that may.
  bool is_met() const { return policy_.has_limit() && !is_too_large() && !is_too_full(); }

  std::string limits_text() const {
    return policy_text({.max_size = policy_.max_size, .min_free = policy_.min_free});
  }

  void tell_unmet() {
    std::vector<std::string> faults;
    if (is_too_large())
      faults.push_back(fmt::format("--max-size {} cannot be met: {} must stay", size_text(*policy_.max_size),
                                   size_text(plan_.left)));
    if (is_too_full())
      faults.push_back(fmt::format("--min-free {} cannot be met: no more than {} would be free",
                                   size_text(*policy_.min_free), size_text(*question_.free + plan_.freed)));
    plan_.unmet = join(faults, "; ");
  }

  std::string kept_because(std::size_t i) const {
    if (!images_[i].stays.empty()) return images_[i].stays;
    for (std::size_t other = 0; other < images_.size(); ++other)
      if (images_[other].present && images_[other].parent == i)
        return fmt::format("{} lies on it", display_name(snapshots_[other]));
    for (std::optional<std::size_t> at = images_[i].parent; at && snapshots_[*at].names.empty();
         at = images_[*at].parent)
      if (may_go(i) && !images_[*at].stays.empty())
        return fmt::format("{} would go with it, which stays: {}", display_name(snapshots_[*at]),
                           images_[*at].stays);
    return policy_.has_limit() ? "the limits are met with it" : "it is not superseded";
  }

  const EvictionQuestion& question_;
  const EvictionPolicy& policy_;
  const std::vector<Snapshot>& snapshots_;
  std::vector<Image> images_;  // one per snapshot
  std::map<NamedStage, std::size_t> newest_holder_, newest_own_, newest_unfinished_;
  std::map<std::string, std::size_t> item_of_;  // environment and what: a position in the lists below
  std::vector<double> seconds_;
  std::vector<unsigned> kept_with_;  // images that hold it
  EvictionPlan plan_;
};

}  // namespace

EvictionPlan plan_evictions(const EvictionQuestion& question, const EvictionPolicy& policy) {
  return Evictor(question, policy).plan();
}

std::string policy_text(const EvictionPolicy& policy) {
  std::vector<std::string> words;
  if (policy.keep_days) words.push_back(fmt::format("--keep-days {}", *policy.keep_days));
  if (policy.keep > 0) words.push_back(fmt::format("--keep {}", policy.keep));
  if (policy.max_size) words.push_back("--max-size " + size_text(*policy.max_size));
  if (policy.min_free) words.push_back("--min-free " + size_text(*policy.min_free));
  return join(words, " ");
}

}  // namespace stagemake
