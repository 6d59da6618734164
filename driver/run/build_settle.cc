// Where an environment begins: the images that were decided for are brought here and looked at, before
// anything runs in them. One that cannot be fetched, or is not what it says it is, is left alone, and the
// next best is taken.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/caught_error.h"
#include "base/text.h"
#include "engine/transfer_failure.h"
#include "run/build_run.h"
#include "run/image_survey.h"
#include "run/volumes.h"

namespace stagemake {

void BuildRun::settle(std::size_t e) {
  EnvironmentBuild& build = builds_[e];
  try {
    if (!build.problem.empty()) throw EngineError(build.problem);
    take_shared(e);
    for (Refused refused = bring_starts(e); refused.snapshot != nullptr; refused = bring_starts(e)) {
      if (options_.stop.stop_requested()) break;  // that is why it could not be fetched
      reporter_.note(fmt::format("{}: {} is not used: {}", build.plan.environment.name,
                                 display_name(*refused.snapshot), refused.why));
      build.restore.refused[refused.snapshot] = refused.why;
      decide_again(e);
    }
    check_strict(e);
    std::vector<std::size_t> to_build;
    for (std::size_t s = 0; s < build.decisions.size(); ++s)
      if (build.decisions[s].action == StageDecision::Action::Build) to_build.push_back(s);
    check_packages(build.plan, to_build);
  } catch (...) {
    std::string what = caught_text();
    bool engine = caught_status() == ExitStatus::EngineUnusable;
    for (std::shared_ptr<Workplace>& start : starts_[e]) start.reset();
    failed(engine ? &BuildResult::engine_failed : &BuildResult::input_failed);
    for (std::size_t s = 0; s < build.decisions.size(); ++s)
      if (build.decisions[s].start ||
          (s == build.restore.targets.back() && build.decisions[s].image != nullptr))
        change(e, s, {.state = StageState::Failed, .detail = what});
  }
}

// Another environment has made the stages that this one begins with: it goes on in its image. Where they
// failed there, they are tried here.
void BuildRun::take_shared(std::size_t e) {
  if (!shared_[e]) return;
  EnvironmentBuild& build = builds_[e];
  std::vector<std::size_t> chain = build.plan.chain(shared_[e]->stage);
  const std::vector<const Snapshot*>& made = made_[shared_[e]->build];
  if (std::any_of(chain.begin(), chain.end(), [&](std::size_t s) { return made[s] == nullptr; })) return;
  std::optional<Candidate> start = std::move(build.decisions[chain.front()].start);
  for (std::size_t s : chain) {
    build.decisions[s] = {.action = StageDecision::Action::Reuse, .image = made[s]};
    change(e, s, {.state = StageState::Reused, .image = display_name(*made[s])});
  }
  for (std::size_t s = 0; s < build.decisions.size(); ++s) {
    std::optional<std::size_t> parent = build.plan.stages[s].parent;
    if (!parent || build.decisions[s].action != StageDecision::Action::Build || build.decisions[s].start)
      continue;
    if (std::find(chain.begin(), chain.end(), *parent) == chain.end()) continue;
    build.decisions[s].start = start;
    build.decisions[s].start->snapshot = made[*parent];
  }
}

// Fetches and checks what is not here or not checked yet.
BuildRun::Refused BuildRun::bring_starts(std::size_t e) {
  EnvironmentBuild& build = builds_[e];
  for (std::size_t s = 0; s < build.decisions.size(); ++s) {
    if (options_.stop.stop_requested()) return {};
    StageDecision& decision = build.decisions[s];
    bool is_target = std::find(build.restore.targets.begin(), build.restore.targets.end(), s) !=
                     build.restore.targets.end();
    if (decision.action == StageDecision::Action::Reuse && decision.image->is_remote() && is_target) {
      std::string why;
      const Snapshot* here = fetched(e, *decision.image, why);
      if (here != nullptr)
        why = Workplace(settings_[e], Candidate{.kind = Candidate::Kind::Parent, .snapshot = here}, s)
                  .mismatch();
      if (!why.empty()) return refuse(*decision.image, why);
      decision.image = here;
    }
    if (Refused refused = bring_start(e, s); refused.snapshot != nullptr) return refused;
  }
  return {};
}

BuildRun::Refused BuildRun::bring_start(std::size_t e, std::size_t s) {
  std::optional<Candidate>& start = builds_[e].decisions[s].start;
  if (!start || start->snapshot == nullptr || starts_[e][s]) return {};
  const Snapshot* decided = start->snapshot;
  if (decided->is_remote()) {
    std::string why;
    const Snapshot* here = fetched(e, *decided, why);
    if (here == nullptr) return refuse(*decided, why);
    start->snapshot = here;
  }
  auto place = std::make_shared<Workplace>(settings_[e], *start, s);
  std::string why = place->mismatch();
  if (why.empty()) why = bring_times(e, display_name(*start->snapshot), *place);
  if (!why.empty()) {
    start->snapshot = decided;
    place.reset();
    return refuse(*decided, why);
  }
  starts_[e][s] = std::move(place);
  return {};
}

// What was fetched and is not believed must not be found here by the next run, which takes what is on this
// machine for its own.
BuildRun::Refused BuildRun::refuse(const Snapshot& snapshot, const std::string& why) {
  if (snapshot.is_remote() && world_.engine.find_image(snapshot.reference))
    world_.engine.remove_image(snapshot.reference);
  return {&snapshot, why};
}

// The image on this machine; null, with the reason in `why`, where it cannot be brought here.
const Snapshot* BuildRun::fetched(std::size_t e, const Snapshot& remote, std::string& why) {
  reporter_.note(fmt::format("{}: fetching {} ({})", builds_[e].plan.environment.name, display_name(remote),
                             size_text(remote.fetch_size)));
  Transfer pulled = pull(remote.reference, remote.fetch_size);
  if (!pulled.ok) return why = "it could not be fetched: " + printable(trimmed(pulled.why)), nullptr;
  std::optional<ImageInfo> image = world_.engine.find_image(remote.reference);
  std::optional<Snapshot> snapshot = image ? snapshot_of(*image) : std::nullopt;
  if (!snapshot) return why = "what was fetched is no image of stagemake's", nullptr;
  if (to_labels(*snapshot) != to_labels(remote))
    return why = "what was fetched is not what the registry says", nullptr;
  snapshot->fetched_as = display_name(remote);
  return keep(std::move(*snapshot));
}

Transfer BuildRun::pull(const std::string& image, std::uint64_t bytes) {
  constexpr unsigned kAttempts = 3;
  double pause = 1;  // seconds; doubled with each attempt
  for (unsigned attempt = 1;; ++attempt, pause *= 2) {
    double began = world_.clock.now();
    Transfer pulled = world_.engine.pull(image, options_.stop);
    double now = world_.clock.now();
    if (bytes > 0)
      world_.journal.add(TransferRecord{.kind = TransferRecord::Kind::Pull,
                                        .when = static_cast<std::int64_t>(now),
                                        .host = registry_host(image),
                                        .bytes = bytes,
                                        .seconds = now - began,
                                        .ok = pulled.ok});
    if (pulled.ok || attempt == kAttempts || options_.stop.stop_requested() ||
        !is_transient_failure(pulled.why, image))
      return pulled;
    reporter_.note(fmt::format("pulling {} failed on attempt {} of {}: {}", printable(image), attempt,
                               kAttempts, printable(trimmed(pulled.why))));
    world_.clock.sleep(pause, options_.stop);
  }
}

const Snapshot* BuildRun::keep(Snapshot snapshot) {
  std::lock_guard lock(mutex_);
  return fresh_snapshots_.emplace_back(std::make_unique<Snapshot>(std::move(snapshot))).get();
}

void BuildRun::decide_again(std::size_t e) {
  EnvironmentBuild& build = builds_[e];
  for (std::shared_ptr<Workplace>& start : starts_[e]) start.reset();
  build.decisions = decide(build.plan, world_.packages, world_.variables, *build.snapshots, build.restore);
  if (const Snapshot* only = build.restore.only)
    throw bad_input("--restore",
                    fmt::format("{} cannot be used: {}", display_name(*only), build.restore.refused[only]));
  EnvironmentStatus now = status_of(build);
  for (std::size_t s = 0; s < now.stages.size(); ++s)
    if (now.stages[s].state != status(e, s).state) change(e, s, now.stages[s]);
}

void BuildRun::check_strict(std::size_t e) {
  const EnvironmentBuild& build = builds_[e];
  if (!build.strict) return;
  std::string reasons;
  bool from_scratch = false;
  std::set<const Snapshot*> told;
  for (const StageDecision& decision : build.decisions) {
    if (!decision.start || decision.start->snapshot != nullptr) continue;
    from_scratch = true;
    for (const Candidate& candidate : decision.candidates)
      if (candidate.snapshot != nullptr && told.insert(candidate.snapshot).second)
        reasons += fmt::format(
            "\n{}: {}", display_name(*candidate.snapshot),
            candidate.refused.empty() ? "it would take longer than from scratch" : candidate.refused);
  }
  // Those that are no candidates at all.
  for (const Snapshot& snapshot : *build.snapshots)
    if (build.restore.clean_only && snapshot.environment == build.plan.environment.name &&
        told.insert(&snapshot).second)
      reasons +=
          fmt::format("\n{}: it was made from other sources, and a clean build goes on in no such image",
                      display_name(snapshot));
  bool expected = !build.snapshots->empty() || !build.restore.refused.empty();
  if (from_scratch && expected)
    throw bad_input("--strict",
                    fmt::format("{} would be built from its base image{}", build.plan.environment.name,
                                reasons.empty() ? ": no image of it can be used"
                                                : ", for no image can be used:" + reasons));
}

void BuildRun::bring_base_image(std::size_t e) {
  const Environment& environment = builds_[e].plan.environment;
  const std::string& image = builds_[e].base_image;
  std::optional<ImageInfo> found = world_.engine.find_image(image);
  std::string why;
  if (!found) {
    reporter_.note(fmt::format("{}: pulling the base image {}", environment.name, printable(image)));
    Transfer pulled = pull(image, 0);
    why = pulled.why;
    if (pulled.ok) found = world_.engine.find_image(image);
  }
  if (!found && options_.stop.stop_requested())
    throw Error(ExitStatus::Interrupted,
                fmt::format("the run was ended while the base image {} was pulled", printable(image)));
  if (!found)
    throw bad_input("", fmt::format("the base image {} is not on this machine and cannot be pulled: {}{}",
                                    printable(image), printable(trimmed(why)),
                                    environment.incremental ? images_beside(world_.engine, image) : ""));
  if (std::string why_not = volumes_in_the_way(*found, world_.table.root); !why_not.empty())
    throw bad_input("", fmt::format("the base image {} cannot be used: {}", printable(image), why_not));
  // Two stages may begin at the base image, each in a thread of its own.
  std::lock_guard lock(mutex_);
  if (settings_[e].base_digest.empty()) settings_[e].base_digest = digest_of(*found);
  settings_[e].base_size = found->size;
}

}  // namespace stagemake
