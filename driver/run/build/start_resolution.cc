#include "run/build/start_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/caught_error.h"
#include "base/text/text.h"
#include "run/build/environment_run.h"
#include "run/build/hosts.h"
#include "run/build/prepare.h"
#include "run/container/image_survey.h"
#include "run/images/origins.h"

namespace stagemake {

using Action = StageDecision::Action;

namespace {

bool contains(const std::vector<std::size_t>& stages, std::size_t stage) {
  return std::find(stages.begin(), stages.end(), stage) != stages.end();
}

}  // namespace

StartResolution::StartResolution(const RunContext& run, EnvironmentRun& environment)
    : run_(run), environment_(environment), build_(environment.build()) {}

void StartResolution::resolve() {
  try {
    if (!build_.problem.empty()) throw EngineError(build_.problem);
    take_shared();
    for (Refused refused = bring_starts(); refused.snapshot != nullptr; refused = bring_starts()) {
      if (run_.options.stop.stop_requested()) break;  // that is why the fetch failed
      run_.progress.note(fmt::format("{}: {} is not used: {}", environment_.name(),
                                     display_name(*refused.snapshot), refused.why));
      build_.restore.refused[refused.snapshot] = refused.why;
      decide_again();
    }
    check_strict();
    std::vector<std::size_t> to_build;
    for (std::size_t s = 0; s < build_.decisions.size(); ++s)
      if (build_.decisions[s].action == Action::Build) to_build.push_back(s);
    check_packages(build_.plan, to_build);
  } catch (...) {
    bool engine = caught_status() == ExitStatus::EngineUnusable;
    if (engine && environment_.leave_host(caught_text())) return;
    fail(caught_text(), engine ? &BuildResult::engine_failed : &BuildResult::input_failed);
  }
}

void StartResolution::fail(const std::string& what, bool BuildResult::*kind) {
  run_.progress.fail(kind);
  for (std::size_t s = 0; s < environment_.size(); ++s) {
    StageRun& stage = environment_.stage(s);
    stage.set_start(nullptr);
    if (stage.decision().start || (s == build_.restore.targets.back() && stage.decision().image != nullptr))
      stage.change({.state = StageState::Failed, .detail = what});
  }
}

// If another environment has made the stages that this one starts with, this one continues from its image. If
// they failed there, they are tried here.
void StartResolution::take_shared() {
  const EnvironmentRun* donor = environment_.donor();
  if (donor == nullptr) return;
  std::vector<std::size_t> chain = build_.plan.chain(environment_.shared());
  std::map<std::size_t, SnapshotPtr> made;
  for (std::size_t s : chain) made[s] = donor->stage(s).made();
  if (std::any_of(made.begin(), made.end(), [](const auto& one) { return one.second == nullptr; })) return;
  if (!bring_shared(donor->here().host, made)) return;
  std::optional<Candidate> start = std::move(build_.decisions[chain.front()].start);
  for (std::size_t s : chain) {
    build_.decisions[s] = {.action = Action::Reuse, .image = made[s]};
    environment_.stage(s).change({.state = StageState::Reused, .image = display_name(*made[s])});
  }
  for (std::size_t s = 0; s < build_.decisions.size(); ++s) {
    std::optional<std::size_t> parent = build_.plan.stages[s].parent;
    if (!parent || build_.decisions[s].action != Action::Build || build_.decisions[s].start) continue;
    if (!contains(chain, *parent)) continue;
    build_.decisions[s].start = start;
    build_.decisions[s].start->snapshot = made[*parent];
  }
}

// If the donor is on another host: brings the images from which stages continue here; the others of `made`
// are then images of that host. False if that fails.
bool StartResolution::bring_shared(std::size_t from, std::map<std::size_t, SnapshotPtr>& made) {
  if (run_.hosts == nullptr || from == run_.host) return true;
  std::map<std::size_t, SnapshotPtr> there;
  for (const auto& [s, image] : made) {
    Snapshot elsewhere = *image;
    elsewhere.host = run_.hosts->name(from);
    there[s] = std::make_shared<Snapshot>(std::move(elsewhere));
  }
  for (std::size_t s = 0; s < build_.decisions.size(); ++s) {
    std::optional<std::size_t> parent = build_.plan.stages[s].parent;
    bool starts_there = parent && made.contains(*parent) && !made.contains(s);
    if (!starts_there || build_.decisions[s].action != Action::Build) continue;
    if (there.at(*parent)->host.empty()) continue;  // brought already
    const Snapshot& image = *there.at(*parent);
    note_fetch(image, image.size);
    if (std::string why = run_.hosts->bring(image, run_.host, run_.options.stop); !why.empty()) {
      run_.progress.note(fmt::format("{}: {} could not be brought from host {}, and is built once more: {}",
                                     environment_.name(), display_name(image), image.host, printable(why)));
      return false;
    }
    there[*parent] = made.at(*parent);
  }
  made = std::move(there);
  return true;
}

void StartResolution::note_fetch(const Snapshot& image, std::uint64_t bytes) const {
  run_.progress.note(fmt::format("{}: fetching {}{} ({})", environment_.name(), display_name(image),
                                 image.host.empty() ? "" : " from host " + image.host, size_text(bytes)));
}

// Fetches and checks images that are not here or not checked yet.
StartResolution::Refused StartResolution::bring_starts() {
  for (std::size_t s = 0; s < build_.decisions.size(); ++s) {
    if (run_.options.stop.stop_requested()) return {};
    if (Refused refused = bring_reused(s); refused.snapshot != nullptr) return refused;
    if (Refused refused = bring_start(s); refused.snapshot != nullptr) return refused;
  }
  return {};
}

// Of the images to reuse, only those that were asked for must be here.
StartResolution::Refused StartResolution::bring_reused(std::size_t s) {
  StageDecision& decision = build_.decisions[s];
  const std::vector<std::size_t>& targets = build_.restore.targets;
  bool is_target = contains(targets, s);
  if (decision.action != Action::Reuse || !decision.image->is_remote() || !is_target) return {};
  if (!decision.image->host.empty()) return {};  // one of the hosts has it
  std::string why;
  SnapshotPtr here = fetched(*decision.image, why);
  if (here != nullptr)
    why = BuildContainer(environment_.setting(), Candidate{.kind = Candidate::Kind::Parent, .snapshot = here},
                         s)
              .mismatch();
  if (!why.empty()) return refuse(decision.image, why);
  decision.image = here;
  return {};
}

StartResolution::Refused StartResolution::bring_start(std::size_t s) {
  std::optional<Candidate>& start = build_.decisions[s].start;
  if (!start || start->snapshot == nullptr || environment_.stage(s).has_start()) return {};
  SnapshotPtr decided = start->snapshot;
  if (decided->is_remote()) {
    std::string why;
    SnapshotPtr here = fetched(*decided, why);
    if (here == nullptr) return refuse(decided, why);
    start->snapshot = here;
  }
  auto container = std::make_shared<BuildContainer>(environment_.setting(), *start, s);
  std::string why = container->mismatch();
  if (why.empty()) why = environment_.bring_times(display_name(*start->snapshot), *container);
  if (!why.empty()) {
    start->snapshot = decided;
    container.reset();
    return refuse(decided, why);
  }
  environment_.stage(s).set_start(std::move(container));
  return {};
}

// A fetched image that is refused must be removed: the next run would trust it as an image of this machine.
StartResolution::Refused StartResolution::refuse(const SnapshotPtr& snapshot, const std::string& why) {
  if (!snapshot->reference.empty() && run_.world.engine.find_image(snapshot->reference))
    run_.world.engine.remove_image(snapshot->reference);
  return {snapshot, why};
}

// The image on this machine; null, with the reason in `why`, if it cannot be fetched.
SnapshotPtr StartResolution::fetched(const Snapshot& remote, std::string& why) {
  note_fetch(remote, remote.fetch_size);
  if (!remote.host.empty()) return brought(remote, why);
  Transfer pulled = environment_.pull(remote.reference, remote.fetch_size);
  if (!pulled.ok) return why = "it could not be fetched: " + printable(trimmed(pulled.why)), nullptr;
  std::optional<ImageInfo> image = run_.world.engine.find_image(remote.reference);
  std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
  if (!snapshot) return why = "the fetched image was not made by stagemake", nullptr;
  if (to_labels(*snapshot) != to_labels(remote))
    return why = "the fetched image differs from the registry's description", nullptr;
  snapshot->fetched_as = display_name(remote);
  snapshot->unvouched = remote.unvouched;
  snapshot->signer = remote.signer;
  Origins origins(run_.world.state.origins());
  origins.fetched(image->id, remote.reference.substr(0, remote.reference.find('@')), remote.signer);
  return std::make_shared<Snapshot>(std::move(*snapshot));
}

// The same for an image of another host.
SnapshotPtr StartResolution::brought(const Snapshot& there, std::string& why) {
  if (why = run_.hosts->bring(there, run_.host, run_.options.stop); !why.empty()) return nullptr;
  std::optional<ImageInfo> image = run_.world.engine.find_image(there.image);
  std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
  if (!snapshot || to_labels(*snapshot) != to_labels(there))
    return why = "what arrived is not what the other host described", nullptr;
  snapshot->unvouched = there.unvouched;
  snapshot->signer = there.signer;
  return std::make_shared<Snapshot>(std::move(*snapshot));
}

void StartResolution::decide_again() {
  for (std::size_t s = 0; s < environment_.size(); ++s) environment_.stage(s).set_start(nullptr);
  build_.decisions = decide(build_.plan, run_.world.graphs, build_.snapshots, build_.restore);
  if (const SnapshotPtr& only = build_.restore.only)
    throw bad_input("--restore",
                    fmt::format("{} cannot be used: {}", display_name(*only), build_.restore.refused[only]));
  EnvironmentStatus now = status_of(build_);
  for (std::size_t s = 0; s < now.stages.size(); ++s)
    if (StageRun& stage = environment_.stage(s); now.stages[s].state != stage.status().state)
      stage.change(now.stages[s]);
}

void StartResolution::check_strict() const {
  if (!build_.strict) return;
  std::string reasons;
  bool from_scratch = false;
  std::set<SnapshotPtr> told;
  for (const StageDecision& decision : build_.decisions) {
    if (!decision.start || decision.start->snapshot != nullptr) continue;
    from_scratch = true;
    for (const Candidate& candidate : decision.candidates)
      if (candidate.snapshot != nullptr && told.insert(candidate.snapshot).second)
        reasons += fmt::format(
            "\n{}: {}", display_name(*candidate.snapshot),
            candidate.refused.empty() ? "it would take longer than from scratch" : candidate.refused);
  }
  // Images that are no candidates at all.
  for (const SnapshotPtr& snapshot : build_.snapshots)
    if (build_.restore.clean_only && snapshot->environment == environment_.name() &&
        told.insert(snapshot).second)
      reasons += fmt::format(
          "\n{}: it was made from other sources, and a clean build does not continue from such an image",
          display_name(*snapshot));
  bool expected = !build_.snapshots.empty() || !build_.restore.refused.empty();
  if (from_scratch && expected)
    throw bad_input("--strict", fmt::format("{} would be built from its base image{}", environment_.name(),
                                            reasons.empty() ? ": no image of it can be used"
                                                            : ": no image of it can be used:" + reasons));
}

}  // namespace stagemake
