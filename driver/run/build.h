// A build: several environments, each with its plan and its decisions, run to the end.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/explanation.h"
#include "plan/network_choice.h"
#include "plan/predictions.h"
#include "report/event.h"
#include "run/base_images.h"
#include "run/clock.h"
#include "run/job_slots.h"
#include "run/journal.h"
#include "run/ladder.h"
#include "run/push_queue.h"
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
  Journal& journal;
  Clock& clock = system_clock();
  Predictions predictions = {};
  std::string revision = {};           // as git describes it; empty where there is no git
  std::string repository = {};         // in front of image names
  std::string push_repository = {};    // in front of the names that are pushed; empty: none are
  std::vector<std::string> tags = {};  // the build's own first; never empty
  bool take_names = false;             // also those of images that stagemake did not make
  NetworkChoices networks = {};        // what was said of the stages' networks
  // What base images that are not on this machine mean in their registries: digests by name.
  std::map<std::string, std::string> base_digests = {};
  BaseImages* bases = nullptr;  // remembers what was asked; null: prepare() asks the engine each time
};

// What a person says of where a build may begin.
struct RestoreSettings {
  bool fresh = false;        // at the base image, or where its fresh build was cut off (run/fresh_build.h)
  bool clean_only = false;   // in images without an incremental ancestor
  bool strict = false;       // in an image, where there is one at all, or the build fails
  std::string restore = {};  // in this one: a name, an id, or "repository@sha256:…"; empty: in the best
  BasePolicy base_policy = BasePolicy::Follow;
};

// One environment with all that is known before anything runs.
struct EnvironmentBuild {
  StagePlan plan;
  RestoreOptions restore;  // with the targets; what is found to be no good is added while the build runs
  bool strict = false;
  bool starts_over = false;  // with restore.fresh: the same command begins another fresh build
  bool is_first = false;   // wanted before those that are not
  std::string base_image;  // what containers are made from: the environment's base image, or its old content
  std::unique_ptr<Snapshot> base_held;   // by an incremental environment's base image; null: it says nothing
  std::vector<StageDecision> decisions;  // point into the snapshots that were given to prepare()
  const std::vector<Snapshot>* snapshots = nullptr;  // those
  std::vector<std::string> notes;                    // for a person, about what was found
  std::string problem;  // why nothing of it can be built now, though others can; empty: there is nothing in the way
  std::vector<std::vector<std::string>> reasons;     // per stage, why it is built; or empty
};

struct BuildOptions {
  bool keep_going = true;  // after a failure, begin stages of other environments
  unsigned at_once = 2;    // stages
  std::stop_token stop = {};
  std::stop_token kill = {};         // ends at once what was asked to end
  std::optional<RunTime> time = {};  // absent: as long as it takes
  std::uint64_t min_free = 0;        // bytes that stay free where the engine keeps images
  std::optional<double> stall = {};  // seconds of silence after which a stage is stopped
  std::optional<double> checkpoint = {};  // seconds between two images of a stage that goes on; absent: none
  JobSlots* slots = nullptr;         // that all makes share; null: each has jobs of its own
  std::uint64_t memory = 0;          // bytes that stages at once may hold, as predicted; 0: not looked at
  // How often it is looked at what the machine and the stages do: for the reporter, and for what is learned
  // of memory. Absent: never.
  std::optional<std::chrono::milliseconds> watch_every = {};
  PushQueue* pushes = nullptr;  // where what is finished goes; null: nowhere
  unsigned predicted_slots = 0;  // job slots to predict with; 0: those of `slots`, else the processors
};

// What tells an image's content: its digest in a registry, else its id.
std::string digest_of(const ImageInfo& image);

// All snapshots of this distribution that the engine has. One look-up. Images that say that they are some and
// cannot be used add a reason to `problems`, fit for a terminal.
std::vector<Snapshot> find_snapshots(ContainerEngine& engine, const StageTable& table,
                                     std::vector<std::string>* problems = nullptr);

// What configure decided for the plan's `configured` stage, from a snapshot that holds it or from the state
// folder; nothing while that stage does not exist.
std::optional<ConfiguredPackages> known_configured(const StateFolder& state, const StagePlan& plan,
                                                   const std::vector<Snapshot>& snapshots);

// The tree's packages in an environment, where configure decided so.
DependencyGraph graph_of(const BuildWorld& world, const Environment& environment,
                         const std::optional<ConfiguredPackages>& configured);

// The plan alone, as exact as it can be.
StagePlan plan_of(const BuildWorld& world, const Environment& environment,
                  const std::vector<Snapshot>& snapshots);

// Plans, and decides without touching a container. `targets`: names of stages to build up to. Throws Error
// (BadInput) where the image of `settings.restore` is not there or cannot be used.
EnvironmentBuild prepare(const BuildWorld& world, const Environment& environment,
                         const std::vector<std::string>& targets, const std::vector<Snapshot>& snapshots,
                         const RestoreSettings& settings);

// Runs them. What each stage came to is in the result, in the order of `builds`. EngineError where the engine
// itself failed a stage is told there too, and `engine_failed` is set.
struct BuildResult {
  std::vector<EnvironmentStatus> environments;
  bool engine_failed = false;
  // What failed was not a stage but what it was to be made from: a base image that is not to be had, sources
  // that change while they are read.
  bool input_failed = false;
  bool stage_failed = false;
  bool out_of_time = false;  // the deadline came before all was done
  bool all_well() const;
};
// Decisions may change on the way: an image that is not what it says it is gives way to the next best.
// Returns when what was to be pushed is pushed or given up.
BuildResult run_builds(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter);

// How it stands before anything ran.
EnvironmentStatus status_of(const EnvironmentBuild& build);

}  // namespace stagemake
