// Removes images to make room: asks the engine which exist, lets schedule/eviction.h decide, and removes them
// under the locks of the environments, with a line in the journal for each removed image.
#pragma once

#include <ctime>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "schedule/eviction.h"

namespace stagemake {

struct GcRequest {
  std::set<std::string> environments;  // empty: all
  EvictionPolicy policy;
  bool dry_run = false;  // removes, locks and writes nothing
  std::int64_t now = 0;  // seconds since the epoch
};

// An image that was (or would be) removed, or that stays, and why. Its snapshot is as it was before.
struct GcEntry {
  Snapshot image;
  std::uint64_t bytes = 0;     // freed with it
  double rebuild_seconds = 0;  // as predicted
  std::string why;
};

struct GcResult {
  std::vector<GcEntry> evicted;
  std::vector<GcEntry> kept;                  // without bytes and seconds
  std::map<std::string, std::string> locked;  // environments skipped, and why
  std::uint64_t freed = 0;                    // bytes, by the sizes of images
  std::uint64_t left = 0;                     // bytes of the remaining images
  std::optional<std::uint64_t> free;          // bytes in the engine's file system, before; nothing: not known
  std::string unmet;                          // the limit that cannot be met, in words; empty: none
};

// `told` is called for each image as soon as it is removed. Throws Error (BadInput) if free space is
// requested and not known; EngineError.
GcResult collect_garbage(ContainerEngine& engine, const StateFolder& state, const StageTable& table,
                         Journal& journal, const GcRequest& request,
                         const std::function<void(const GcEntry&)>& told);

}  // namespace stagemake
