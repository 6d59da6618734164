// Removes images to make room: asks the engine what there is, has plan/eviction.h decide, and does it, under
// the locks of the environments, with a line in the journal for each image that went.
#pragma once

#include <ctime>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/eviction.h"
#include "run/journal.h"
#include "run/state_folder.h"

namespace stagemake {

struct GcRequest {
  std::set<std::string> environments;  // empty: all
  EvictionPolicy policy;
  bool dry_run = false;  // then nothing is removed, locked or written
  std::int64_t now = 0;  // seconds since the epoch
};

// An image that went (would go), or that stays, and why. Its snapshot is as it was before.
struct GcEntry {
  Snapshot image;
  std::uint64_t bytes = 0;     // that went with it
  double rebuild_seconds = 0;  // as predicted
  std::string why;
};

struct GcResult {
  std::vector<GcEntry> evicted;
  std::vector<GcEntry> kept;                  // without bytes and seconds
  std::map<std::string, std::string> locked;  // environments passed over, and why
  std::uint64_t freed = 0;                    // bytes, by what images say
  std::uint64_t left = 0;                     // bytes of what stays
  std::optional<std::uint64_t> free;          // bytes in the engine's file system, before; nothing: not known
  std::string unmet;                          // the limit that cannot be met, in words; empty: there is none
};

// `told` hears of each image as soon as it is gone. Throws Error (BadInput) where free space is asked for and
// not known; EngineError.
GcResult collect_garbage(ContainerEngine& engine, const StateFolder& state, const StageTable& table,
                         Journal& journal, const GcRequest& request,
                         const std::function<void(const GcEntry&)>& told);

}  // namespace stagemake
