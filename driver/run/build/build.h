// A build: several environments with their plans and decisions, run to the end.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "environment/network_choice.h"
#include "report/events/event.h"
#include "run/control/clock.h"
#include "run/control/stop_escalation.h"
#include "run/images/base_images.h"
#include "run/images/origins.h"
#include "run/images/push_queue.h"
#include "run/slots/job_slots.h"
#include "run/state/journal.h"
#include "run/state/state_folder.h"
#include "schedule/estimate.h"
#include "schedule/predictions.h"
#include "snapshot/explanation.h"

namespace stagemake {

// What all environments of one command share. Must outlive everything made from it.
struct BuildWorld {
  ContainerEngine& engine;
  const StateFolder& state;
  const PackageIndex& packages;
  DependencyGraphs& graphs;
  const StageTable& table;
  SourceTree& sources;
  Journal& journal;
  Clock& clock = system_clock();
  Predictions predictions = {};
  std::string revision = {};           // as git describes it; empty without git
  std::string repository = {};         // in front of image names
  std::string push_repository = {};    // in front of pushed names; empty: nothing is pushed
  std::vector<std::string> tags = {};  // the build's own first; never empty
  bool take_names = false;             // also names of images that stagemake did not make
  NetworkChoices networks = {};        // options for the networks of stages
  // Digests, by name, that registries give for base images that are not on this machine.
  std::map<std::string, std::string> base_digests = {};
  BaseImages* bases = nullptr;          // remembers answers; null: prepare() asks the engine each time
  RegistryOptions registries = {};      // how to ask a registry about a base image that is not here
  std::vector<PublicKey> trusted = {};  // keys whose signatures vouch for images
  std::vector<std::string> hosts = {};  // as in EstimateBasis
  bool push_fetched = false;  // also push unvouched images into repositories that they do not come from
};

// The same on another engine.
BuildWorld with_engine(const BuildWorld& world, ContainerEngine& engine);

// Options that say where a build may start.
struct RestoreSettings {
  bool fresh = false;       // at the base image, or continuing a fresh build (run/build/fresh_build.h)
  bool clean_only = false;  // only in images without an incremental ancestor
  bool strict = false;      // in an image, if there is any; else the build fails
  std::vector<std::string> rebuild = {};  // these stages again, each from its parent's image
  std::string restore = {};  // in this image: a name, an id, or "repository@sha256:…"; empty: in the best
  BasePolicy base_policy = BasePolicy::Follow;
};

// One environment, with everything known before anything runs.
// (In `restore`, images found unusable are added while the build runs; `decisions` point into `snapshots`.)
struct EnvironmentBuild : DecidedEnvironment {
  bool strict = false;
  bool starts_over = false;  // with restore.fresh or restore.rebuild: the same command starts another one
  SnapshotList snapshots;    // the snapshots given to prepare()
  std::vector<std::string> notes;  // for people, about what was found
  std::string problem;             // why nothing of it can be built now, though others can; empty: no problem
  std::vector<std::vector<std::string>> reasons;  // per stage: why it is built; may be empty
};

// One of several machines that build: its engine, and what it may use.
struct BuildHost {
  std::string name;             // for people
  ContainerEngine& engine;      // outlives the run
  unsigned slots = 1;           // job slots, to decide which environments it gets
  unsigned at_once = 1;         // stages
  std::uint64_t memory = 0;     // as BuildOptions::memory
  JobSlots* pool = nullptr;     // null: each make gets an equal share of `slots`
  PushQueue* pushes = nullptr;  // as BuildOptions::pushes
  std::string problem = {};     // why it could not be used before the run; empty: it can
};

struct BuildOptions {
  bool keep_going = true;  // after a failure, start stages of other environments
  unsigned at_once = 2;    // stages
  std::stop_token stop = {};
  std::stop_token kill = {};              // ends at once whatever was asked to end
  std::optional<RunTime> time = {};       // absent: no limit
  std::uint64_t min_free = 0;             // bytes to keep free where the engine keeps images
  std::optional<double> stall = {};       // seconds of silence after which a stage is stopped
  std::optional<double> checkpoint = {};  // seconds between two images of a running stage; absent: none
  JobSlots* slots = nullptr;              // shared by all makes; null: each has its own jobs
  std::uint64_t memory = 0;               // bytes that concurrent stages may hold, as predicted; 0: no limit
  // How often the machine and the stages are measured, for the reporter and to learn about memory. Absent:
  // never.
  std::optional<std::chrono::milliseconds> watch_every = {};
  PushQueue* pushes = nullptr;   // receives finished images; null: nothing is pushed
  unsigned predicted_slots = 0;  // job slots to predict with; 0: those of `slots`, else the processors
  // Several machines. Then their engines count, not that of the world, and their limits, not those above.
  // The first has the images that the builds were decided with. Empty: one machine.
  std::vector<BuildHost> hosts = {};
  // Looks for images of an environment in registries once more, after its host was lost. Empty: there are
  // none.
  std::function<std::vector<Snapshot>(const std::string& environment, const std::stop_token& stop)>
      look_again = {};
  double host_patience = 300;  // seconds after which nobody waits any more for a host that does not answer
  double host_pause = 5;       // seconds between two looks whether it does
};

// For schedule/estimate. `builds` must outlive the result.
EstimateBasis estimate_basis(const BuildWorld& world);
DecidedEnvironments decided(const std::vector<EnvironmentBuild>& builds);

// The result of a run: the outcome of each stage, in the order of `builds`. An EngineError that failed a
// stage is reported there too, and sets `engine_failed`.
struct BuildResult {
  std::vector<EnvironmentStatus> environments;
  bool engine_failed = false;
  // The input of a stage failed, not the stage: a base image is unavailable, or sources change while they are
  // read.
  bool input_failed = false;
  bool stage_failed = false;
  bool out_of_time = false;  // the deadline passed before everything was done
  bool all_well() const;
};
// Runs the builds. Decisions may change on the way: if an image contradicts its labels, the next best is
// used. Returns when everything to be pushed is pushed or given up.
BuildResult run_builds(const BuildWorld& world, std::vector<EnvironmentBuild>& builds,
                       const BuildOptions& options, Reporter& reporter);

}  // namespace stagemake
