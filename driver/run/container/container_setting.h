// What all build containers of one environment share.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/stage_plan.h"
#include "run/container/holder.h"
#include "run/control/clock.h"
#include "run/slots/job_slots.h"
#include "run/state/state_folder.h"
#include "snapshot/candidate.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// Must outlive the containers.
struct ContainerSetting {
  ContainerEngine& engine;
  const StateFolder& state;
  const PackageIndex& packages;
  const StagePlan& plan;
  SourceTree& sources;
  std::string base_digest;
  std::string fresh_build;        // of all images; empty: that of the image that they continue from
  std::string revision;           // of the sources, as git describes it
  std::string repository;         // in front of image names
  std::vector<std::string> tags;  // the build's own first; never empty
  Clock& clock;
  // Whether one unfinished image holds more than another: is_richer() with the plan.
  std::function<bool(const Snapshot& there, const Snapshot& ours)> is_richer;
  // Which packages of an image are out of date: judge_packages() with the plan.
  std::function<void(const Snapshot&, Candidate&)> judge;
  DependencyGraphs& graphs;
  std::string base_image;  // what containers are made from without a snapshot: a name, or one with a digest
  std::uint64_t base_size = 0;         // bytes; 0: not known
  JobSlots* slots = nullptr;           // shared by everything that runs; null: each make has its own jobs
  unsigned fair_share = 1;             // of these, for a make that cannot take part
  bool take_names = false;             // also names of images that stagemake did not make
  Heartbeat* heartbeat = nullptr;      // is notified of each container; null: none
  std::vector<Network> networks = {};  // by stage of the plan; further stages: the engine's default
};

}  // namespace stagemake
