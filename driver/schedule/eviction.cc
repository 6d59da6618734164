#include "schedule/eviction.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text/text.h"
#include "snapshot/explanation.h"

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
      if (is_counted(i) && images_[i].present) plan_.kept.push_back({snapshots_[i], kept_because(i)});
    return std::move(plan_);
  }

 private:
  struct Image {
    std::optional<std::size_t> parent;  // the image on which it lies
    std::size_t children = 0;           // present images that lie on it
    std::uint64_t bytes = 0;            // its own
    bool present = true;
    std::string superseded;          // by which image; empty: not superseded
    std::string stays;               // why; empty: it may be evicted
    std::vector<std::size_t> items;  // what it contains
  };

  bool is_counted(std::size_t i) const {
    return question_.environments.empty() || question_.environments.contains(snapshot_at(i).environment);
  }

  // --- Which image lies on which.

  // Of images with the same layers, the older one lies below.
  bool is_below(std::size_t below, std::size_t i) const {
    if (below == i || !lies_on(snapshot_at(i).layer_ids, snapshot_at(below).layer_ids)) return false;
    return snapshot_at(below).layer_ids.size() < snapshot_at(i).layer_ids.size() ||
           is_newer(snapshot_at(i), snapshot_at(below));
  }

  void find_parents() {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      std::uint64_t below = 0;
      for (const BaseImage& base : question_.base_images)
        if (lies_on(snapshot_at(i).layer_ids, base.layer_ids)) below = std::max(below, base.size);
      std::optional<std::size_t>& parent = images_[i].parent;
      for (std::size_t other = 0; other < images_.size(); ++other)
        if (is_below(other, i) && (!parent || is_below(*parent, other))) parent = other;
      if (parent) ++images_[*parent].children;
      if (parent) below = snapshot_at(*parent).size;
      images_[i].bytes = snapshot_at(i).size - std::min(snapshot_at(i).size, below);
    }
  }

  // --- Which images must stay.

  // Finds the newest complete image that contains each stage of an environment, and the stage's own newest
  // named one.
  void find_holders() {
    auto improve = [&](std::map<NamedStage, std::size_t>& newest, const std::string& stage, std::size_t i) {
      auto [found, is_first] = newest.try_emplace({snapshot_at(i).environment, stage}, i);
      if (!is_first && is_newer(snapshot_at(i), snapshot_at(found->second))) found->second = i;
    };
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const Snapshot& snapshot = snapshot_at(i);
      if (!snapshot.complete) improve(newest_unfinished_, snapshot.stage, i);
      if (!snapshot.complete) continue;
      for (const LineageEntry& entry : snapshot.lineage) improve(newest_holder_, entry.stage, i);
      if (!snapshot.names.empty()) improve(newest_own_, snapshot.stage, i);
    }
  }

  bool is_newest(const std::map<NamedStage, std::size_t>& newest, const std::string& stage,
                 std::size_t i) const {
    auto found = newest.find({snapshot_at(i).environment, stage});
    return found != newest.end() && found->second == i;
  }

  const Snapshot& snapshot_at(std::size_t i) const { return *snapshots_[i]; }

  // If an image is dated in the future, the clock was set back, and images with an earlier date may have been
  // made later.
  bool is_surely_newer(const Snapshot& a, const Snapshot& b) const {
    return is_newer(a, b) && a.created <= question_.now;
  }

  std::string superseded(std::size_t i) const {
    const Snapshot& snapshot = snapshot_at(i);
    if (!snapshot.complete)
      for (const SnapshotPtr& other : snapshots_)
        if (other->environment == snapshot.environment && holds_key(*other, snapshot.stage, snapshot.key()) &&
            (is_surely_newer(*other, snapshot) || snapshot.fresh_build.empty() ||
             other->fresh_build == snapshot.fresh_build))
          return fmt::format("superseded: {} contains {}, complete", display_name(*other), snapshot.stage);
    if (!snapshot.names.empty()) return {};
    for (const auto* newest : {&newest_holder_, &newest_unfinished_}) {
      auto found = newest->find({snapshot.environment, snapshot.stage});
      bool counts = newest == &newest_holder_ || !snapshot.complete;
      if (counts && found != newest->end() && is_surely_newer(snapshot_at(found->second), snapshot))
        return fmt::format("superseded: no name points to it, and {} is newer",
                           display_name(snapshot_at(found->second)));
    }
    return {};
  }

  // Why an image stays regardless of limits; empty: only images that lie on it keep it.
  std::string reason_to_stay(std::size_t i) const {
    const Snapshot& snapshot = snapshot_at(i);
    if (!is_counted(i))
      return fmt::format("{} is not one of the requested environments", snapshot.environment);
    if (auto found = question_.locked.find(snapshot.environment); found != question_.locked.end())
      return found->second;
    if (std::string other = wanted_by_locked(snapshot); !other.empty()) return other;
    if (question_.in_use.contains(snapshot.image)) return "a container or a foreign image uses it";
    for (const LineageEntry& entry : snapshot.lineage)
      if (is_newest(newest_holder_, entry.stage, i))
        return fmt::format("the newest complete image of {}", entry.stage);
    if (is_newest(newest_own_, snapshot.stage, i))
      return fmt::format("the newest complete image of {} alone", snapshot.stage);
    if (is_newest(newest_unfinished_, snapshot.stage, i) && !is_key_held(snapshot))
      return fmt::format("the next build of {} continues from it", snapshot.stage);
    if (policy_.keep_days && snapshot.created > question_.now - kDay * *policy_.keep_days)
      return fmt::format("--keep-days {}", *policy_.keep_days);
    if (snapshot.complete && rank(i) < policy_.keep) return fmt::format("--keep {}", policy_.keep);
    return {};
  }

  bool is_key_held(const Snapshot& partial) const {
    return std::any_of(snapshots_.begin(), snapshots_.end(), [&](const SnapshotPtr& other) {
      return other->environment == partial.environment && holds_key(*other, partial.stage, partial.key());
    });
  }

  // Environments with the same stages use each other's images.
  std::string wanted_by_locked(const Snapshot& snapshot) const {
    for (const SnapshotPtr& other : snapshots_) {
      auto found = question_.locked.find(other->environment);
      const LineageEntry* entry = other->holds(snapshot.stage);
      if (found != question_.locked.end() && entry != nullptr && entry->key == snapshot.key())
        return fmt::format("{}, which has the same stage", found->second);
    }
    return {};
  }

  // The number of newer complete images of the same environment and stage.
  unsigned rank(std::size_t i) const {
    return static_cast<unsigned>(
        std::count_if(snapshots_.begin(), snapshots_.end(), [&](const SnapshotPtr& other) {
          return other->complete && other->environment == snapshot_at(i).environment &&
                 other->stage == snapshot_at(i).stage && is_newer(*other, snapshot_at(i));
        }));
  }

  // --- The cost of building an image again.

  void add_items(std::size_t i) {
    const Snapshot& snapshot = snapshot_at(i);
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

  // --- Which images are evicted.

  bool may_go(std::size_t i) const {
    return images_[i].stays.empty() && (policy_.has_limit() || !images_[i].superseded.empty());
  }

  // The images removed together with one on which nothing lies: those without a name on which only this one
  // lies. Empty if one of them must stay.
  std::vector<std::size_t> group_of(std::size_t leaf) const {
    std::vector<std::size_t> group;
    for (std::optional<std::size_t> at = leaf; at; at = images_[*at].parent) {
      if (*at != leaf && (!snapshot_at(*at).names.empty() || images_[*at].children > 1)) break;
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
      std::tuple cost(seconds / std::max(bytes, 1.0), snapshot_at(i).created, snapshot_at(i).image);
      if (best.empty() || cost < least) best = std::move(group), least = std::move(cost);
    }
    return best;
  }

  void evict(std::size_t i, std::size_t leaf) {
    Image& image = images_[i];
    std::string why = !image.superseded.empty() ? image.superseded
                      : i == leaf               ? limits_text()
                                  : fmt::format("it has no name and is removed together with {}",
                                                display_name(snapshot_at(leaf)));
    plan_.evictions.push_back({snapshots_[i], image.bytes, rebuild_seconds(i), std::move(why)});
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
  // Without a limit, everything is evicted that may be.
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
      faults.push_back(fmt::format("--min-free {} cannot be met: only {} would be free",
                                   size_text(*policy_.min_free), size_text(*question_.free + plan_.freed)));
    plan_.unmet = join(faults, "; ");
  }

  std::string kept_because(std::size_t i) const {
    if (!images_[i].stays.empty()) return images_[i].stays;
    for (std::size_t other = 0; other < images_.size(); ++other)
      if (images_[other].present && images_[other].parent == i)
        return fmt::format("{} is built on it", display_name(snapshot_at(other)));
    for (std::optional<std::size_t> at = images_[i].parent; at && snapshot_at(*at).names.empty();
         at = images_[*at].parent)
      if (may_go(i) && !images_[*at].stays.empty())
        return fmt::format("removing it would remove {}, which is kept: {}", display_name(snapshot_at(*at)),
                           images_[*at].stays);
    return policy_.has_limit() ? "the limits are met without removing it" : "it is not superseded";
  }

  const EvictionQuestion& question_;
  const EvictionPolicy& policy_;
  const SnapshotList& snapshots_;
  std::vector<Image> images_;  // one per snapshot
  std::map<NamedStage, std::size_t> newest_holder_, newest_own_, newest_unfinished_;
  std::map<std::string, std::size_t> item_of_;  // environment and item: a position in the lists below
  std::vector<double> seconds_;
  std::vector<unsigned> kept_with_;  // number of images that contain it
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
