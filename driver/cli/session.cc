#include "cli/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <set>

#include "base/error.h"
#include "base/process/callers_environment.h"
#include "base/process/machine.h"
#include "base/text/text.h"
#include "cli/engine_choice.h"
#include "cli/host_shell.h"
#include "cli/inspection.h"
#include "cli/options/network_options.h"
#include "cli/options/slot_choice.h"
#include "run/build/fresh_build.h"
#include "run/build/hosts.h"
#include "run/build/prepare.h"
#include "run/container/adoption.h"
#include "run/container/image_survey.h"
#include "run/images/remote_snapshots.h"
#include "run/state/learned.h"

namespace stagemake {
namespace {

// Adds a fault for each value with unevaluated shell text, because it would make the plan of a build wrong.
void check_evaluated(const Environment& environment, const std::string& refusal, Faults& faults) {
  for (const std::string& name : environment.unexpanded) {
    if (name == "NUMPROC") continue;  // then it is the number of processors
    auto found = environment.variables.find(name);
    faults.add(
        "",
        fmt::format(
            "environment {0}: {1} contains shell text{2}, which no shell on this machine evaluates because "
            "{3}. If you trust this tree, use --host-shell yes; or set the value with --set {1}=VALUE",
            environment.name, name,
            found == environment.variables.end() ? "" : fmt::format(" (`{}`)", shown(found->second)),
            refusal));
  }
}

std::vector<Environment> read_environments(const Options& options, const Tree& tree,
                                           const Describing& describing) {
  bool builds = (options.verb == Verb::Build || options.verb == Verb::Tox) && !options.dry_run;
  std::optional<std::string> refusal = host_shell_refusal(options.host_shell, variable_of_caller);
  EnvironmentReader reader = environment_reader(
      tree, [&] { return describing.get().name; },
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

Session::Session(const Options& options) : Session(options, read(options)) {}

Session::Parts Session::read(const Options& options) {
  auto describing = std::make_unique<Describing>(tree_path(options));
  Tree tree = open_tree(options);
  std::vector<Environment> environments = read_environments(options, tree, *describing);
  StateFolder state(options.state, tree.path);
  std::vector<ChosenEngine> hosts = choose_engines(options, state);
  std::stable_partition(hosts.begin(), hosts.end(),
                        [](const ChosenEngine& one) { return one.problem.empty(); });
  std::vector<PublicKey> trusted = trusted_keys(options);
  std::optional<SigningKey> signing_key;
  if (options.sign_with) {
    signing_key = SigningKey::read(*options.sign_with);
    trusted.push_back(signing_key->public_key());
  }
  return {.describing = std::move(describing),
          .tree = std::move(tree),
          .environments = std::move(environments),
          .state = std::move(state),
          .hosts = std::move(hosts),
          .signing_key = std::move(signing_key),
          .trusted = std::move(trusted)};
}

Session::Session(const Options& options, Parts parts)
    : describing(std::move(parts.describing)),
      tree(std::move(parts.tree)),
      environments(std::move(parts.environments)),
      state(std::move(parts.state)),
      hosts(std::move(parts.hosts)),
      limits(host_limits(options, hosts)),
      engine(hosts.front().engine.get()),
      graphs(tree.packages, tree.variables),
      sources(tree.path, state.source_ids(), std::time(nullptr)),
      journal(state.journal()),
      signing_key(std::move(parts.signing_key)),
      bases(*engine),
      world{.engine = *engine,
            .state = state,
            .packages = tree.packages,
            .graphs = graphs,
            .table = tree.table,
            .sources = sources,
            .journal = journal,
            .repository = options.repository,
            .push_repository = options.push == Options::Push::No ? std::string() : options.push_to,
            .take_names = options.take_names,
            .bases = &bases,
            .registries = {.plain_http = options.plain_http, .token_hosts = options.token_hosts},
            .trusted = std::move(parts.trusted),
            .push_fetched = options.push_fetched} {
  for (const ChosenEngine& one : hosts) {
    one.engine->allow_plain_http(options.plain_http);
    one.engine->allow_token_hosts(options.token_hosts);
    if (hosts.size() > 1) world.hosts.push_back(one.host.name);
  }
  std::vector<std::string> names;
  for (const Environment& environment : environments) names.push_back(environment.name);
  world.networks = network_choices(options, tree.table, names);
  // Proxies do not change what is built: stages get them, but keys do not include them.
  for (const auto& [name, value] : options.proxies) {
    for (Environment& environment : environments) environment.values[name] = value;
    for (StageSpec& stage : tree.table.stages) stage.passes.push_back(name);
  }
}

void Session::settle_tags(const Options& options) {
  if (!world.tags.empty()) return;
  const TreeRevision& revision = describing->get();
  bool pushes = !world.push_repository.empty() || (options.verb == Verb::Tox && !options.repository.empty());
  world.tags = {image_tag(options, revision, pushes)};
  world.revision = revision.name;
  if (!revision.problem.empty()) problems.push_back(revision.problem);
  for (const std::string& tag : options.extra_tags)
    if (std::find(world.tags.begin(), world.tags.end(), tag) == world.tags.end()) world.tags.push_back(tag);
}

void Session::decide_all(const Options& options) {
  for (const auto* names : {&options.rebuild, &options.to})
    for (const std::string& name : *names) stage_named(tree.table, name);
  std::vector<std::string> targets = options.to;
  if (targets.empty()) targets = {tree.table.default_stage};
  RestoreSettings settings{.fresh = options.fresh,
                           .clean_only = options.clean_only,
                           .strict = options.strict,
                           .rebuild = options.rebuild,
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

// If everything needed is local, no registry and no journal is read.
void Session::look(const Options& options, const std::stop_token& stop) {
  std::vector<Snapshot> here = find_snapshots(*engine, tree.table, &problems);
  Origins origins(state.origins());
  origins.judge(here, world.trusted);
  if (!world.trusted.empty() && !stop.stop_requested()) {
    Registry registry(registry_options(options, stop));
    look_for_signatures(registry, here, origins, world.trusted);
  }
  for (Snapshot& image : images_of_hosts()) here.push_back(std::move(image));
  snapshots = share(std::move(here));
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
  if (only_looks && options.verb != Verb::Simulate) note_pulls();
  for (const std::string& warning : sources.warnings()) problems.push_back(warning);
  sources.save_cache();
  std::set<std::string> manifests, images;
  for (const SnapshotPtr& snapshot : snapshots) {
    manifests.insert(snapshot->manifest);
    images.insert(snapshot->image);
  }
  state.bound_manifests(manifests);
  origins.bound(images);
}

// Those of all hosts but the first, which would have to fetch them.
std::vector<Snapshot> Session::images_of_hosts() {
  std::vector<Snapshot> all;
  for (std::size_t h = 1; h < hosts.size(); ++h) {
    ChosenEngine& one = hosts[h];
    if (!one.problem.empty()) continue;
    try {
      for (Snapshot& image : snapshots_on(*one.engine, one.host.name, world, &problems))
        all.push_back(std::move(image));
    } catch (const EngineError& error) {
      one.problem = error.what();
    }
  }
  return all;
}

// A build adopts the work of dead runs before it decides (run/container/adoption.h), so its decisions depend
// on that work.
void Session::look_into_containers() {
  for (std::size_t h = 0; h < hosts.size(); ++h) {
    if (!hosts[h].problem.empty()) continue;
    LeftWork left = left_work(with_engine(world, *hosts[h].engine), environments);
    if (h > 0)
      for (Snapshot& image : left.snapshots) image.host = hosts[h].host.name;
    append(snapshots, std::move(left.snapshots));
    std::move(left.notes.begin(), left.notes.end(), std::back_inserter(problems));
  }
}

// A build pulls base images that are not here. If that fails, it fails, so a person should know before.
void Session::note_pulls() {
  std::set<std::string> noted;
  for (const EnvironmentBuild& build : builds) {
    bool starts_there = std::any_of(
        build.decisions.begin(), build.decisions.end(),
        [](const StageDecision& decision) { return decision.start && decision.start->snapshot == nullptr; });
    if (!starts_there || bases.find(build.base_image) || !noted.insert(build.base_image).second) continue;
    problems.push_back(
        fmt::format("the base image {} is not on this machine: a build pulls it, unless --base-image IMAGE "
                    "names another one",
                    printable(build.base_image)));
  }
}

void Session::look_further(const Options& options, const std::stop_token& stop) {
  if (std::vector<std::string> places = repositories(options);
      !places.empty() && !(options.fresh && options.start_over)) {
    std::vector<std::string> names;
    for (const Environment& environment : environments) names.push_back(environment.name);
    Registry registry(registry_options(options, stop));
    RemoteSnapshots found = find_remote_snapshots(registry, tree.table, names, places, snapshots);
    std::move(found.problems.begin(), found.problems.end(), std::back_inserter(problems));
    if (!found.snapshots.empty()) {
      judge_remote(registry, found.snapshots, world.trusted);
      ask_for_bases(registry, found.snapshots, stop);
      set_fetch_sizes(found.snapshots, layers_here());
    }
    append(snapshots, std::move(found.snapshots));
  }
  remembered = journal.read();
  world.predictions = learned(remembered, snapshots);
  decide_all(options);
}

std::vector<Snapshot> Session::look_in_registries(const Options& options, const std::string& environment,
                                                  const std::stop_token& stop) {
  std::vector<std::string> places = repositories(options);
  if (places.empty()) return {};
  Registry registry(registry_options(options, stop));
  RemoteSnapshots found = find_remote_snapshots(registry, tree.table, {environment}, places, {});
  judge_remote(registry, found.snapshots, world.trusted);
  set_fetch_sizes(found.snapshots, {});
  return std::move(found.snapshots);
}

// Layers of images that may be shared with images in registries.
std::vector<std::vector<std::string>> Session::layers_here() {
  std::vector<std::vector<std::string>> all;
  for (const SnapshotPtr& snapshot : snapshots) all.push_back(snapshot->layer_ids);
  for (const Environment& environment : environments)
    if (const std::optional<ImageInfo>& base = bases.find(environment.base_image))
      all.push_back(base->layer_ids);
  return all;
}

// If a base image is not on this machine, its registry says what its name means now: a build would not start
// from an image made from other content.
void Session::ask_for_bases(Registry& registry, const std::vector<Snapshot>& found,
                            const std::stop_token& stop) {
  for (const Environment& environment : environments) {
    if (stop.stop_requested()) return;
    if (environment.incremental || world.base_digests.contains(environment.base_image)) continue;
    if (bases.find(environment.base_image)) continue;
    std::string why;
    std::optional<RegistryImage> image = registry.find(environment.base_image, why);
    // Engines identify an image for several platforms by its index, or by the manifest for theirs.
    auto is_named_so = [&](const Snapshot& snapshot) {
      return image && snapshot.base_digest == image->digest;
    };
    bool by_manifest = std::any_of(found.begin(), found.end(), is_named_so);
    if (image)
      world.base_digests[environment.base_image] =
          image->index.empty() || by_manifest ? image->digest : image->index;
    else
      problems.push_back(
          fmt::format("cannot tell whether {} has moved: {}", printable(environment.base_image), why));
  }
}

std::vector<std::string> Session::repositories(const Options& options) const {
  std::vector<std::string> all = options.from;
  if (!options.push_to.empty() && std::find(all.begin(), all.end(), options.push_to) == all.end())
    all.push_back(options.push_to);
  return all;
}

std::vector<PublicKey> trusted_keys(const Options& options) {
  std::vector<PublicKey> keys;
  for (const std::string& trust : options.trust) {
    bool is_text = trust.find("-----BEGIN") != std::string::npos;
    std::optional<std::string> pem = is_text ? std::optional(trust) : read_file(trust, 64u << 10);
    if (!pem) throw bad_input("--trust", fmt::format("there is no file {}", shown(trust)));
    for (PublicKey& key : PublicKey::in(*pem, is_text ? "--trust" : printable(trust)))
      keys.push_back(std::move(key));
  }
  return keys;
}

void sign_pushes(PushOptions& pushes, Session& session, ContainerEngine& engine, const Options& options) {
  if (!session.signing_key) return;
  auto ours = [&session, &engine](const std::string& name) -> std::optional<Snapshot> {
    std::optional<ImageInfo> image = engine.find_image(name);
    std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
    if (snapshot) Origins(session.state.origins()).judge(*snapshot, session.world.trusted);
    return snapshot && snapshot->unvouched.empty() ? snapshot : std::nullopt;
  };
  pushes.signed_image = [ours](const std::string& name) {
    std::optional<Snapshot> snapshot = ours(name);
    return snapshot ? snapshot->image : std::string();
  };
  pushes.signs = [ours, &session, &options](const std::string& name,
                                            const std::string& digest) -> std::string {
    std::optional<Snapshot> snapshot = ours(name);
    if (!snapshot || digest.empty()) return "its digest is not known";
    Registry registry(registry_options(options));
    std::string place = name.substr(0, name.rfind(':'));
    return sign_image(registry, *session.signing_key, place + "@" + digest, *snapshot, std::time(nullptr));
  };
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

std::vector<StageExplanation> Session::explain(const EnvironmentBuild& build, const Listing& listing) {
  auto manifests = [this](const std::string& digest) { return state.manifest(digest); };
  std::int64_t now = std::time(nullptr);
  std::vector<StageExplanation> all =
      stagemake::explain(build.plan, tree.packages, build.decisions, sources, manifests, now, listing);
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
