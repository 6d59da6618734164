// Decides which images to evict, and why the others stay. Pure: the existing images and the policy go in, an
// ordered list comes out; `gc` and `gc --dry-run` follow or show the same list.
//
// Never evicted:
//   - the newest complete image that contains a stage of an environment, and the stage's own newest image
//     that has a name;
//   - an open partial: the newest unfinished image of a stage, unless another image contains the stage with
//     its key;
//   - images that a container uses, that another driver may be using, or that the policy keeps.
// Without a limit, only superseded images are evicted: unfinished images whose key another image has, and
// images without a name if a newer one contains their stage. With a limit (a size, or free space), images are
// evicted until it is met, first those with the fewest predicted seconds to rebuild per byte freed. An image
// dated in the future does not supersede others by its date, because the clock was set back.
//
// Bytes: an image lies on others and shares their layers. Evicting it frees its size less that of the image
// on which it lies; while another image lies on it, evicting it would free nothing, so it stays. (Layers that
// two images share but that belong to no image of their own count for both.) When engines remove an image,
// they also remove the images that it was made from if these have no name and nothing else lies on them: such
// images are evicted together or not at all.
//
// Seconds: those of the packages, and of the stages that make none, that no other kept image of the
// environment contains.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "schedule/predictions.h"
#include "snapshot/snapshot.h"

namespace stagemake {

struct EvictionPolicy {
  std::optional<unsigned> keep_days;      // younger images stay
  unsigned keep = 0;                      // the newest complete ones per environment and stage stay
  std::optional<std::uint64_t> max_size;  // bytes that images may take
  std::optional<std::uint64_t> min_free;  // bytes that must be free where the engine keeps images

  bool has_limit() const { return max_size || min_free; }
};

// An image that stagemake did not make, but on which its images may lie.
struct BaseImage {
  std::vector<std::string> layer_ids;
  std::uint64_t size = 0;
};

struct EvictionQuestion {
  const SnapshotList& snapshots;  // all of the distribution that the engine has
  const StageTable& table;
  const Predictions& predictions;
  std::vector<BaseImage> base_images;
  std::set<std::string> environments;         // whose images may be evicted, and count; empty: all
  std::map<std::string, std::string> locked;  // environments that another driver is using, in words
  std::set<std::string> in_use;               // ids of images that the engine refused to remove
  std::optional<std::uint64_t> free;          // bytes; nullopt: unknown, and `min_free` counts as met
  std::int64_t now = 0;                       // seconds since the epoch
};

struct ChosenEviction {
  SnapshotPtr image;
  std::uint64_t bytes = 0;     // freed with it
  double rebuild_seconds = 0;  // predicted, after the evictions before it
  std::string why;
};

struct KeptImage {
  SnapshotPtr image;
  std::string why;
};

struct EvictionPlan {
  std::vector<ChosenEviction> evictions;  // in this order: an image comes before the one on which it lies
  std::vector<KeptImage> kept;            // in the order of `snapshots`
  std::uint64_t freed = 0;                // bytes
  std::uint64_t left = 0;                 // bytes of images that stay
  std::string unmet;                      // the limit that cannot be met, in words; empty: there is none
};

EvictionPlan plan_evictions(const EvictionQuestion& question, const EvictionPolicy& policy);

// "--max-size 10.0 GB --keep 2"; empty for an empty policy.
std::string policy_text(const EvictionPolicy& policy);

}  // namespace stagemake
