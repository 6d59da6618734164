// A build: several environments, each with its plan and its decisions, run to the end.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/explanation.h"
#include "report/event.h"
#include "run/state_folder.h"

namespace stagemake {

// What is the same for all environments of one command. Must outlive what is made from it.
struct BuildWorld {
  ContainerEngine& engine;
  const StateFolder& state;
  const PackageIndex& packages;
  const MakeVariables& variables;
  const StageTable& table;
  SourceTree& sources;
  std::string revision;           // as git describes it; empty where there is no git
  std::string repository;         // in front of image names
  std::vector<std::string> tags;  // the build's own first; never empty
};

// One environment with all that is known before anything runs.
struct EnvironmentBuild {
  std::unique_ptr<DependencyGraph> graph;
  StagePlan plan;
  std::vector<std::size_t> targets;
  std::string base_digest;               // empty: the base image is not on this machine yet
  std::vector<StageDecision> decisions;  // point into the snapshots that were given to prepare()
};

struct BuildOptions {
  bool fresh = false;
  bool keep_going = true;  // after a failure, begin stages of other environments
  unsigned at_once = 2;    // stages
  std::stop_token stop;
};

// What tells an image's content: its digest in a registry, else its id.
std::string digest_of(const ImageInfo& image);

// All snapshots of this distribution that the engine has. One look-up.
std::vector<Snapshot> find_snapshots(ContainerEngine& engine, const StageTable& table);

// What configure decided for the plan's `configured` stage, from a snapshot that holds it or from the state
// folder; nothing while that stage does not exist.
std::optional<ConfiguredPackages> known_configured(const StateFolder& state, const StagePlan& plan,
                                                   const std::vector<Snapshot>& snapshots);

// Plans, and decides without touching a container. `targets`: names of stages to build up to.
EnvironmentBuild prepare(const BuildWorld& world, const Environment& environment,
                         const std::vector<std::string>& targets, const std::vector<Snapshot>& snapshots,
                         bool fresh);

// Runs them. What each stage came to is in the result, in the order of `builds`. EngineError where the engine
// itself failed a stage is told there too, and `engine_failed` is set.
struct BuildResult {
  std::vector<EnvironmentStatus> environments;
  bool engine_failed = false;
  // What failed was not a stage but what it was to be made from: a base image that is not to be had, sources
  // that change while they are read.
  bool input_failed = false;
  bool stage_failed = false;
  bool all_well() const;
};
BuildResult run_builds(const BuildWorld& world, const std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter);

// How it stands before anything ran.
EnvironmentStatus status_of(const EnvironmentBuild& build);

}  // namespace stagemake
