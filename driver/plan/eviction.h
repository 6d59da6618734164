// Which images go when room is wanted, and why the others stay. Pure: what exists and what is wanted go in,
// an ordered list comes out; `gc` and `gc --dry-run` show or follow the same list.
//
// What never goes:
//   - the newest complete image that holds a stage of an environment, and the newest of the stage's own that
//   has a name;
//   - an open partial: the newest unfinished image of a stage, unless another image holds the stage with its
//   key;
//   - what a container uses, what another driver may be using, what the policy keeps.
// Without a limit only what is superseded goes: unfinished images whose key another image holds, and images
// that no name points to any more where a newer one holds their stage. With a limit (a size, or free space)
// images go until it is met, those first that cost the least predicted seconds to build again for each byte
// that goes with them. What is dated later than now supersedes nothing by its date: the clock was set back.
//
// Bytes: an image lies on others, and shares their layers. What goes with it is its size less that of the
// image on which it lies; while another one lies on it nothing would go, so that it stays. (Layers that two
// images share and that are no image's own count for each of the two.) Engines remove what a removed image
// was made from as well where that has no name and nothing else lies on it: such images go together or stay
// together.
//
// Seconds: those of the packages, and of the stages that make none, that no other kept image of the
// environment holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plan/predictions.h"
#include "plan/snapshot.h"

namespace stagemake {

struct EvictionPolicy {
  std::optional<unsigned> keep_days;      // nothing younger goes
  unsigned keep = 0;                      // the newest complete ones of each environment and stage stay
  std::optional<std::uint64_t> max_size;  // bytes that images may take
  std::optional<std::uint64_t> min_free;  // bytes that shall be free where the engine keeps images

  bool has_limit() const { return max_size || min_free; }
};

// An image that is none of ours, on which ours may lie.
struct BaseImage {
  std::vector<std::string> layer_ids;
  std::uint64_t size = 0;
};

struct EvictionQuestion {
  const std::vector<Snapshot>& snapshots;  // of the distribution: all that the engine has
  const StageTable& table;
  const Predictions& predictions;
  std::vector<BaseImage> base_images;
  std::set<std::string> environments;         // whose images may go, and are counted; empty: all
  std::map<std::string, std::string> locked;  // environments that another driver works on, in words
  std::set<std::string> in_use;               // ids of images that the engine did not let go
  std::optional<std::uint64_t> free;          // bytes; nothing: not known, and `min_free` counts as met
  std::int64_t now = 0;                       // seconds since the epoch
};

struct ChosenEviction {
  const Snapshot* image;
  std::uint64_t bytes = 0;     // that go with it
  double rebuild_seconds = 0;  // as predicted, with those before it in the list gone
  std::string why;
};

struct KeptImage {
  const Snapshot* image;
  std::string why;
};

struct EvictionPlan {
  std::vector<ChosenEviction> evictions;  // in this order: what lies on another image goes before it
  std::vector<KeptImage> kept;            // in the order of `snapshots`
  std::uint64_t freed = 0;                // bytes
  std::uint64_t left = 0;                 // bytes of what stays
  std::string unmet;                      // the limit that cannot be met, in words; empty: there is none
};

// Points into the snapshots of the question.
EvictionPlan plan_evictions(const EvictionQuestion& question, const EvictionPolicy& policy);

// "--max-size 10.0 GB --keep 2"; empty for a policy that says nothing.
std::string policy_text(const EvictionPolicy& policy);

}  // namespace stagemake
