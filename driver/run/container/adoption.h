// Containers that a dead driver left behind: their work is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "report/events/event.h"
#include "run/build/build.h"

namespace stagemake {

// Containers of `environment` whose driver had its state folder at the path of this one: in the same folder,
// or in another mount namespace. Holders (run/container/holder.h) knows which of them belong to a living
// driver. The caller holds the environment's lock, so no living driver of this folder has such a container.
std::vector<ContainerInfo> left_containers(const BuildWorld& world, const std::string& environment);

// Those of `environments` that have such containers. Asks the engine once, whatever their number.
std::set<std::string> environments_left_behind(ContainerEngine& engine, const StateFolder& state,
                                               const std::vector<Environment>& environments);

// What dead runs left, for commands that only look.
struct LeftWork {
  // Describe the images that their containers would become; Snapshot::container has the container's name.
  std::vector<Snapshot> snapshots;
  std::vector<std::string>
      notes;  // a line each: what a build would do with them first, or which driver is building now
};
// Changes nothing. Skips containers that disappear meanwhile.
LeftWork left_work(const BuildWorld& world, const std::vector<Environment>& environments);

// Containers of this state folder with work of `environments` (empty: all) that is in no image. Excludes
// containers whose living driver holds the environment's lock.
struct UnsavedWork {
  ContainerInfo container;
  std::string environment, stage;
  std::int64_t began = 0;  // seconds since the epoch; 0: not known
};
std::vector<UnsavedWork> unsaved_work(ContainerEngine& engine, const StateFolder& state,
                                      const StageTable& table, const std::set<std::string>& environments);
// Removes such a container, with its work.
void discard_work(ContainerEngine& engine, const StateFolder& state, const std::string& container);
// Describes what a person can do about a container whose work cannot be saved.
std::string ways_out(const std::string& environment);

// Reports containers of living drivers and leaves them alone. Commits the others as unfinished snapshots,
// removes them, and reports it; a container in which no recipe has started is only removed. A name stays with
// an image that is_richer(). If something still runs in a container, adoption waits for it if its result is
// still wanted, that is, if a stage of the environment has its key. Otherwise, on a stop request, and if the
// run's time is over, it is stopped first; a kill request gives it no time to end. A container that cannot be
// saved is an EngineError, or is removed with its work if `discard_unsaved`.
void adopt_containers(const BuildWorld& world, const Environment& environment, const std::stop_token& stop,
                      Reporter& reporter, const std::optional<RunTime>& time = {},
                      const std::stop_token& kill = {}, bool discard_unsaved = false);

}  // namespace stagemake
