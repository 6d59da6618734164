// Containers that a dead driver left behind: their work is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "report/event.h"
#include "run/build.h"

namespace stagemake {

// Containers of `environment` whose driver had its state folder at the path of this one: in the same folder,
// or in another mount namespace. Holders (run/holder.h) knows which of them a living driver has. The caller
// holds the environment's lock: no living driver of this folder has such a container.
std::vector<ContainerInfo> left_containers(const BuildWorld& world, const std::string& environment);

// Those of `environments` of which there are such containers. Asks the engine once, whatever their number.
std::set<std::string> environments_left_behind(ContainerEngine& engine, const StateFolder& state,
                                               const std::vector<Environment>& environments);

// What is left of dead runs, for whoever only looks.
struct LeftWork {
  // What images of their containers would be, with the container's name in Snapshot::container.
  std::vector<Snapshot> snapshots;
  std::vector<std::string> notes;  // a line each: what a build would do with them first, or who builds now
};
// Changes nothing. Containers that go away meanwhile are passed over.
LeftWork left_work(const BuildWorld& world, const std::vector<Environment>& environments);

// Containers of this state folder that hold work of environments (all, where `environments` is empty) which
// is in no image. One whose driver lives, holding the environment's lock, is none of them.
struct UnsavedWork {
  ContainerInfo container;
  std::string environment, stage;
  std::int64_t began = 0;  // seconds since the epoch; 0: not known
};
std::vector<UnsavedWork> unsaved_work(ContainerEngine& engine, const StateFolder& state,
                                      const StageTable& table, const std::set<std::string>& environments);
// Gives such a container up, with its work.
void discard_work(ContainerEngine& engine, const StateFolder& state, const std::string& container);
// What a person can do about a container whose work cannot be saved, in words.
std::string ways_out(const std::string& environment);

// Leaves those of living drivers alone, and says so. Commits the others as unfinished snapshots, removes
// them, and says so; one in which no recipe has begun is only removed. A name stays with an image that
// is_richer(). One in which something still runs is awaited where what it makes is still wanted: a stage of
// the environment has its key; else, and on a request to stop, it is ended first; also where the time of the
// run is over. A kill request leaves it no time. One that cannot be saved is an EngineError, or with
// `discard_unsaved` removed, its work lost.
void adopt_containers(const BuildWorld& world, const Environment& environment, const std::stop_token& stop,
                      Reporter& reporter, const std::optional<RunTime>& time = {},
                      const std::stop_token& kill = {}, bool discard_unsaved = false);

}  // namespace stagemake
