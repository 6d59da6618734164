#include "cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <set>

#include "base/callers_environment.h"
#include "base/machine.h"
#include "base/text.h"
#include "cli/engine_choice.h"
#include "cli/host_shell.h"
#include "cli/network_options.h"
#include "run/adoption.h"
#include "run/fresh_build.h"
#include "run/learned.h"
#include "run/remote_snapshots.h"

namespace stagemake {
namespace {

// A build that may not evaluate what its environments use has no right plan.
void check_evaluated(const Environment& environment, const std::string& refusal, Faults& faults) {
  for (const std::string& name : environment.unexpanded) {
    if (name == "NUMPROC") continue;  // then it is the number of processors
    auto found = environment.variables.find(name);
    faults.add("", fmt::format("environment {0}: {1} holds shell text{2}, and no shell of this machine evaluates it, "
                               "because {3}. Where you trust this tree, say --host-shell yes; or give the value with "
                               "--set {1}=VALUE",
                               environment.name, name,
                               found == environment.variables.end() ? "" : fmt::format(" (`{}`)", shown(found->second)),
                               refusal));
  }
}

std::vector<Environment> read_environments(const Options& options, const Tree& tree,
                                           const Describing& describing) {
  bool builds = (options.verb == Verb::Build || options.verb == Verb::Tox) && !options.dry_run;
  std::optional<std::string> refusal = host_shell_refusal(options.host_shell, variable_of_caller);
  EnvironmentReader reader =
      environment_reader(tree, [&] { return describing.get().name; },
                         builds && !refusal ? MayRun::TheTreesShellText : MayRun::Nothing);
  std::vector<Environment> environments = resolve_environments(options, tree, reader);
  Faults faults;
  for (const Environment& environment : environments) {
    if (!builds) {
      warn_of_shell_text(environment);
      continue;
    }
    if (!environment.missing.empty()) faults.add("", environment.missing);
    check_evaluated(environment, refusal.value_or(""), faults);
  }
  faults.throw_if_any();
  return environments;
}

}  // namespace

Session::Session(const Options& options)
    : describing(tree_path(options)),
      tree(open_tree(options)),
      environments(read_environments(options, tree, describing)),
      engine(choose_engine(options, StateFolder(options.state, tree.path))),
      state(options.state, tree.path),
      sources(tree.path, state.source_ids(), std::time(nullptr)),
      journal(state.journal()),
      bases(*engine),
      world{.engine = *engine,
            .state = state,
            .packages = tree.packages,
            .variables = tree.variables,
            .table = tree.table,
            .sources = sources,
            .journal = journal,
            .repository = options.repository,
            .push_repository = options.push == Options::Push::No ? std::string() : options.push_to,
            .take_names = options.take_names,
            .bases = &bases} {
  engine->allow_plain_http(options.plain_http);
  std::vector<std::string> names;
  for (const Environment& environment : environments) names.push_back(environment.name);
  world.networks = network_choices(options, tree.table, names);
  // Proxies change nothing of what is built: stages get them, and their keys do not have them.
  for (const auto& [name, value] : options.proxies) {
    for (Environment& environment : environments) environment.values[name] = value;
    for (StageSpec& stage : tree.table.stages) stage.passes.push_back(name);
  }
}

void Session::settle_tags(const Options& options) {
  if (!world.tags.empty()) return;
  const TreeRevision& revision = describing.get();
  bool pushes = !world.push_repository.empty() || (options.verb == Verb::Tox && !options.repository.empty());
  world.tags = {image_tag(options, revision, pushes)};
  world.revision = revision.name;
  if (!revision.problem.empty()) problems.push_back(revision.problem);
  for (const std::string& tag : options.extra_tags)
    if (std::find(world.tags.begin(), world.tags.end(), tag) == world.tags.end()) world.tags.push_back(tag);
}

void Session::decide_all(const Options& options) {
  std::vector<std::string> targets = options.to;
  if (targets.empty()) targets = {tree.table.default_stage};
  RestoreSettings settings{.fresh = options.fresh,
                           .clean_only = options.clean_only,
                           .strict = options.strict,
                           .restore = options.restore,
                           .base_policy = options.base_policy};
  builds.clear();
  for (const Environment& environment : environments)
    builds.push_back(prepare(world, environment, targets, snapshots, settings));
  settle_fresh(world, builds, options.start_over);
  for (EnvironmentBuild& build : builds)
    build.is_first = std::any_of(options.first.begin(), options.first.end(), [&](const std::string& pattern) {
      return fits(pattern, build.plan.environment.name);
    });
}

// Who has all that is wanted on this machine waits for no registry and for no journal.
void Session::look(const Options& options, const std::stop_token& stop) {
  snapshots = find_snapshots(*engine, tree.table, &problems);
  bool only_looks = options.verb == Verb::Explain || options.verb == Verb::Simulate || options.dry_run;
  if (only_looks) look_into_containers();
  bool all_here = false;
  if (options.restore.empty()) {
    decide_all(options);
    all_here = std::none_of(builds.begin(), builds.end(), [](const EnvironmentBuild& build) {
      return std::any_of(build.decisions.begin(), build.decisions.end(), [](const StageDecision& decision) {
        return decision.action == StageDecision::Action::Build;
      });
    });
  }
  if (!all_here && !stop.stop_requested()) look_further(options, stop);
  for (const std::string& warning : sources.warnings()) problems.push_back(warning);
  sources.save_cache();
  std::set<std::string> manifests;
  for (const Snapshot& snapshot : snapshots) manifests.insert(snapshot.manifest);
  state.bound_manifests(manifests);
}

// A build takes over what dead runs left before it decides (run/adoption.h): what a build would do depends on it.
void Session::look_into_containers() {
  LeftWork left = left_work(world, environments);
  std::move(left.snapshots.begin(), left.snapshots.end(), std::back_inserter(snapshots));
  std::move(left.notes.begin(), left.notes.end(), std::back_inserter(problems));
}

void Session::look_further(const Options& options, const std::stop_token& stop) {
  if (std::vector<std::string> places = repositories(options); !places.empty() && !options.start_over) {
    std::vector<std::string> names;
    for (const Environment& environment : environments) names.push_back(environment.name);
    Registry registry(registry_options(options, stop));
    RemoteSnapshots found = find_remote_snapshots(registry, tree.table, names, places, snapshots);
    std::move(found.problems.begin(), found.problems.end(), std::back_inserter(problems));
    if (!found.snapshots.empty()) {
      ask_for_bases(registry, found.snapshots, stop);
      set_fetch_sizes(found.snapshots, layers_here());
    }
    std::move(found.snapshots.begin(), found.snapshots.end(), std::back_inserter(snapshots));
  }
  remembered = journal.read();
  world.predictions = learned(remembered, snapshots);
  decide_all(options);
}

// Of the images that images in registries may share layers with.
std::vector<std::vector<std::string>> Session::layers_here() {
  std::vector<std::vector<std::string>> all;
  for (const Snapshot& snapshot : snapshots) all.push_back(snapshot.layer_ids);
  for (const Environment& environment : environments)
    if (const std::optional<ImageInfo>& base = bases.find(environment.base_image)) all.push_back(base->layer_ids);
  return all;
}

// Where a machine has no base image, what its name means now stands in its registry: an image made from
// another content is not what a build would begin with today.
void Session::ask_for_bases(Registry& registry, const std::vector<Snapshot>& found,
                            const std::stop_token& stop) {
  for (const Environment& environment : environments) {
    if (stop.stop_requested()) return;
    if (environment.incremental || world.base_digests.contains(environment.base_image)) continue;
    if (bases.find(environment.base_image)) continue;
    std::string why;
    std::optional<RegistryImage> image = registry.find(environment.base_image, why);
    // Engines name an image for several machines by its index, or by the manifest for theirs.
    auto is_named_so = [&](const Snapshot& snapshot) {
      return image && snapshot.base_digest == image->digest;
    };
    bool by_manifest = std::any_of(found.begin(), found.end(), is_named_so);
    if (image)
      world.base_digests[environment.base_image] =
          image->index.empty() || by_manifest ? image->digest : image->index;
    else
      problems.push_back(
          fmt::format("whether {} has moved is not known: {}", printable(environment.base_image), why));
  }
}

std::vector<std::string> Session::repositories(const Options& options) const {
  std::vector<std::string> all = options.from;
  if (!options.push_to.empty() && std::find(all.begin(), all.end(), options.push_to) == all.end())
    all.push_back(options.push_to);
  return all;
}

RegistryOptions registry_options(const Options& options, const std::stop_token& stop) {
  RegistryOptions registry{
      .plain_http = options.plain_http, .token_hosts = options.token_hosts, .stop = stop};
  keep_cache_private();
  if (fs::path cache = user_cache_folder(); !cache.empty()) registry.cache = cache / "registry";
  return registry;
}

std::uint64_t memory_for_stages(const Options& options) {
  if (options.memory) return *options.memory;
  std::optional<MachineMemory> memory = machine_memory();
  return memory ? memory->available : 0;
}

std::vector<StageExplanation> Session::explain(const EnvironmentBuild& build) {
  auto manifests = [this](const std::string& digest) { return state.manifest(digest); };
  std::int64_t now = std::time(nullptr);
  std::vector<StageExplanation> all =
      stagemake::explain(build.plan, tree.packages, build.decisions, sources, manifests, now);
  for (std::size_t s = 0; s < all.size(); ++s) {
    const PlannedStage& stage = build.plan.stages[s];
    std::optional<Eviction> gone =
        build.decisions[s].action == StageDecision::Action::Build
            ? evicted(remembered, build.plan.environment.name, stage.name, stage.key)
            : std::nullopt;
    if (gone)
      all[s].reasons.push_back(fmt::format("its image {} was evicted {} ago by {}", printable(gone->image),
                                           duration_text(static_cast<double>(now - gone->when)),
                                           printable(gone->why)));
  }
  return all;
}

}  // namespace stagemake
