#include "snapshot/plan_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "base/text/text.h"
#include "plan/build_fingerprint.h"
#include "plan/package_fingerprints.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

constexpr std::string_view kPackages = "build/pkgs/";
constexpr std::size_t kMostWords = 8;    // in a reason
constexpr std::size_t kLongValues = 60;  // bytes of both; longer ones are shown only by the words that differ

std::string version_text(const std::string& version) {
  return version == "none" ? std::string("no version") : printable(version);
}

// The changed files, by package and relative to its folder.
std::map<std::string, std::vector<std::string>> changed_by_package(SourceTree& before, SourceTree& after) {
  std::map<std::string, std::vector<std::string>> by_package;
  for (const std::string& path :
       changed_files(before.below("build/pkgs"), after.below("build/pkgs"), "build/pkgs")) {
    std::string_view rest = std::string_view(path).substr(kPackages.size());
    std::size_t end = rest.find('/');
    if (end != std::string_view::npos)
      by_package[std::string(rest.substr(0, end))].emplace_back(rest.substr(end + 1));
  }
  return by_package;
}

// "what: + libfoo-dev, - libbar-dev": words added and words removed. Empty if they are the same, in any
// order.
std::string words_text(std::string_view what, const std::vector<std::string>& before,
                       const std::vector<std::string>& after, const Listing& listing) {
  std::set<std::string> was(before.begin(), before.end()), is(after.begin(), after.end());
  std::vector<std::string> differing;
  for (const std::string& word : is)
    if (!was.contains(word)) differing.push_back("+ " + word);
  for (const std::string& word : was)
    if (!is.contains(word)) differing.push_back("- " + word);
  return differing.empty() ? std::string()
                           : fmt::format("{}: {}", what, some_of(differing, listing, kMostWords));
}

std::vector<std::string> as_words(const std::string& text) {
  std::vector<std::string> all;
  for (std::string_view word : words(text)) all.emplace_back(word);
  return all;
}

// Describes the differences between recipes and values, which may be long.
std::string reason_text(const DiffSide& before, const DiffSide& after, std::size_t stage,
                        const InputChange& change, const Listing& listing) {
  const StageSpec& spec = after.plan.table.stages[stage];
  const Environment& was = before.plan.environment;
  const Environment& is = after.plan.environment;
  std::string text;
  if (change.input == kRecipeInput && prepares_system(spec))
    text = words_text("system packages", was.setup.packages, is.setup.packages, listing);
  if (change.input == kRecipeInput && spec.configures)
    text = words_text("arguments of configure", was.configure_args, is.configure_args, listing);
  bool is_long = change.before.size() + change.after.size() > kLongValues;
  if (is_long && std::find(spec.uses.begin(), spec.uses.end(), change.input) != spec.uses.end())
    text = words_text(change.input, as_words(was.value(change.input)), as_words(is.value(change.input)),
                      listing);
  return text.empty() ? change_text(after.plan, stage, change, {}) : text;
}

RerunStage rerun_stage(const DiffSide& before, const DiffSide& after, std::size_t stage,
                       const StageDecision& decision, const Listing& listing) {
  const StageSpec& spec = after.plan.table.stages[stage];
  RerunStage rerun{.name = spec.name, .paths = {}, .reasons = {}};
  if (decision.older == nullptr) rerun.reasons.push_back("new");
  for (const InputChange& change : decision.changes) {
    if (change.input == kParentInput) continue;
    if (is_added(spec, change.input)) {
      rerun.paths.push_back(change.input);
      continue;
    }
    rerun.reasons.push_back(reason_text(before, after, stage, change, listing));
  }
  return rerun;
}

}  // namespace

std::string PackageChange::text(const Listing& listing) const {
  switch (kind) {
    case Kind::New:
      return fmt::format("{} (new, {})", name, version_text(after));
    case Kind::Gone:
      return fmt::format("{} (removed, was {})", name, version_text(before));
    case Kind::Version:
      return fmt::format("{} {} -> {}", name, version_text(before), version_text(after));
    case Kind::Files:
    case Kind::Beside:
      return fmt::format("{} {}", name, bracketed(files, listing, 2));
  }
  return name;
}

std::vector<PackageChange> package_changes(const PackageIndex& before, SourceTree& sources_before,
                                           const PackageIndex& after, SourceTree& sources_after) {
  std::map<std::string, std::string> was = package_fingerprints(sources_before.below("build/pkgs"));
  std::map<std::string, std::string> is = package_fingerprints(sources_after.below("build/pkgs"));
  std::vector<PackageChange> changes;
  for (auto& [name, files] : changed_by_package(sources_before, sources_after)) {
    std::optional<PackageId> old_id = before.find(name), new_id = after.find(name);
    if (!old_id && !new_id) continue;  // a folder that has only lists of system packages
    PackageChange change{.name = name, .files = std::move(files)};
    if (old_id) change.before = before[*old_id].version;
    if (new_id) change.after = after[*new_id].version;
    change.kind = !old_id                         ? PackageChange::Kind::New
                  : !new_id                       ? PackageChange::Kind::Gone
                  : change.before != change.after ? PackageChange::Kind::Version
                  : was[name] != is[name]         ? PackageChange::Kind::Files
                                                  : PackageChange::Kind::Beside;
    changes.push_back(std::move(change));
  }
  return changes;
}

SnapshotList finished_images(const DiffSide& side) {
  const StagePlan& plan = side.plan;
  std::shared_ptr<const DependencyGraph> graph = side.graphs.of(plan.environment, plan.configured);
  std::vector<std::string> fingerprints = build_fingerprints(side.packages(), *graph, *plan.fingerprints);
  SnapshotList images;
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const PlannedStage& stage = plan.stages[s];
    Snapshot image;
    if (stage.parent) {
      image.lineage = images[*stage.parent]->lineage;
      image.packages = images[*stage.parent]->packages;
    }
    image.image = stage.name;
    image.created = static_cast<std::int64_t>(s);
    image.distribution = plan.table.distribution;
    image.environment = plan.environment.name;
    image.stage = stage.name;
    image.complete = true;
    image.configured = plan.configured;
    image.lineage.push_back({stage.name, stage.key, stage.inputs});
    for (PackageId id : stage.packages)
      image.packages[side.packages()[id].name] = {side.packages()[id].version, fingerprints[id]};
    images.push_back(std::make_shared<Snapshot>(std::move(image)));
  }
  return images;
}

bool PlanDiff::same_as(const PlanDiff& other) const {
  return stages == other.stages && packages == other.packages && removed == other.removed &&
         begins_in == other.begins_in && is_whole == other.is_whole;
}

PlanDiff plan_diff(const DiffSide& before, const DiffSide& after, const std::vector<std::size_t>& targets,
                   const Costs& costs, const Listing& listing) {
  PlanDiff diff;
  bool same_keys = std::all_of(targets.begin(), targets.end(), [&](std::size_t target) {
    std::optional<std::size_t> old = before.plan.table.find(after.plan.stages[target].name);
    return old && before.plan.stages[*old].key == after.plan.stages[target].key;
  });
  if (same_keys) return diff;
  SnapshotList images = finished_images(before);
  RestoreOptions options{.targets = targets, .costs = costs};
  std::vector<StageDecision> decisions = decide(after.plan, after.graphs, images, options);
  std::set<std::string> packages, removed;
  for (std::size_t s = 0; s < decisions.size(); ++s) {
    const StageDecision& decision = decisions[s];
    if (decision.action != StageDecision::Action::Build) continue;
    diff.stages.push_back(rerun_stage(before, after, s, decision, listing));
    if (!decision.start) continue;
    if (const SnapshotPtr& from = decision.start->snapshot) diff.begins_in = from->stage;
    for (PackageId id : decision.start->to_build) packages.insert(after.packages()[id].name);
    removed.insert(decision.start->removed.begin(), decision.start->removed.end());
    removed.insert(decision.start->unwanted.begin(), decision.start->unwanted.end());
    diff.is_whole = diff.is_whole || (decision.start->ready == 0 && !decision.start->to_build.empty());
  }
  diff.packages.assign(packages.begin(), packages.end());
  diff.removed.assign(removed.begin(), removed.end());
  diff.seconds = predicted_seconds(decisions, options);
  return diff;
}

}  // namespace stagemake
