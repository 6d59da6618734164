#include "snapshot/candidate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/process/machine.h"
#include "base/text/text.h"
#include "plan/build_fingerprint.h"

namespace stagemake {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

CandidateJudge::CandidateJudge(const StagePlan& plan, DependencyGraphs& graphs, const RestoreOptions& options)
    : plan_(plan), graphs_(graphs), packages_(graphs.packages()), options_(options) {}

bool CandidateJudge::same_environment(const Snapshot& snapshot) const {
  return snapshot.distribution == plan_.table.distribution && snapshot.environment == plan_.environment.name;
}

bool CandidateJudge::same_base(const Snapshot& snapshot) const {
  return options_.base_digest.empty() || snapshot.base_digest.empty() ||
         snapshot.base_digest == options_.base_digest;
}

std::string CandidateJudge::unfit(const Snapshot& snapshot) const {
  for (const auto& [refused, why] : options_.refused)
    if (refused.get() == &snapshot) return why;
  if (options_.only != nullptr && &snapshot != options_.only.get()) return "--restore names another image";
  if (std::string base = snapshot.base_image(); !base.empty() && base != plan_.environment.base_image)
    return fmt::format("it was built on another base image, {}", printable(base));
  if (options_.base_policy == BasePolicy::Follow && !same_base(snapshot))
    return "it was built on different content of the base image";
  if (options_.clean_only && !snapshot.clean) return "it has an incremental ancestor (--clean-only)";
  if (options_.clean_only && !snapshot.unvouched.empty()) return snapshot.unvouched + " (--clean-only)";
  if (!options_.cpu.empty())
    if (std::vector<std::string> lacking = lacking_features(snapshot.cpu, options_.cpu); !lacking.empty())
      return fmt::format("it was built on a CPU with {}, which this machine lacks",
                         printable(join(lacking, ", ").substr(0, 200)));
  return {};
}

std::string CandidateJudge::unfit_to_continue(const Snapshot& snapshot) const {
  if (std::string why = unfit(snapshot); !why.empty()) return why;
  if (options_.clean_only) return "a build that continues from it is not clean (--clean-only)";
  for (const LineageEntry& entry : snapshot.lineage) {
    std::optional<std::size_t> at = plan_.table.find(entry.stage);
    if (!at) return fmt::format("its stage {} no longer exists", printable(entry.stage));
    const PlannedStage& stage = plan_.stages[*at];
    if (!stage.parent && entry.key != stage.key) {
      for (const KeyInput& input : stage.inputs)
        if (std::find(entry.inputs.begin(), entry.inputs.end(), input) == entry.inputs.end())
          return fmt::format("different system: {} of {} differs", printable(input.name), stage.name);
      return fmt::format("different system: {} differs", stage.name);
    }
    if (!plan_.table.stages[*at].make_targets.empty()) continue;
    for (const KeyInput& input : stage.inputs) {
      if (input.name == kParentInput || is_added(plan_.table.stages[*at], input.name)) continue;
      if (std::find(entry.inputs.begin(), entry.inputs.end(), input) == entry.inputs.end())
        return fmt::format("{} of {} differs", printable(input.name), stage.name);
    }
  }
  return {};
}

const CandidateJudge::View& CandidateJudge::view(const std::optional<ConfiguredPackages>& configured) const {
  std::optional<ConfiguredPackages> clean = configured;
  if (clean) clean->found.clear();
  std::unique_ptr<View>& view = views_[clean ? configured_text(*clean) : ""];
  if (view) return *view;
  std::shared_ptr<const DependencyGraph> graph = graphs_.of(plan_.environment, configured);
  std::vector<std::string> fingerprints = build_fingerprints(packages_, *graph, *plan_.fingerprints);
  view = std::make_unique<View>(View{.graph = std::move(graph), .fingerprints = std::move(fingerprints)});
  // Before configure has run, the packages that it will enable or take from the system are unknown.
  view->all_known = configured || !plan_.configuring_stage();
  std::vector<std::string> known = view->graph->known_targets();
  for (std::size_t target : options_.targets)
    for (std::size_t stage : plan_.chain(target)) {
      std::vector<std::string> targets;
      for (const std::string& name : plan_.stages[stage].make_targets)
        if (contains(known, name)) targets.push_back(name);
      view->all_known = view->all_known && targets.size() == plan_.stages[stage].make_targets.size();
      for (PackageId id : view->graph->build_order(targets)) view->wanted.insert(id);
    }
  return *view;
}

bool CandidateJudge::is_ready(const View& view, const Snapshot& snapshot, PackageId id) const {
  auto found = snapshot.packages.find(packages_[id].name);
  return found != snapshot.packages.end() && found->second.version == packages_[id].version &&
         !found->second.fingerprint.empty() && found->second.fingerprint == view.fingerprints[id];
}

void CandidateJudge::judge_packages(const Snapshot& snapshot, Candidate& candidate) const {
  judge(view(snapshot.configured), snapshot, candidate);
}

void CandidateJudge::judge(const View& view, const Snapshot& snapshot, Candidate& candidate) const {
  // Asking make for a package also asks for its dependencies, and if one of them is rebuilt, make rebuilds
  // the package by itself.
  auto is_built = [&](PackageId id) { return !is_ready(view, snapshot, id); };
  for (const auto& [name, installed] : snapshot.packages) {
    std::optional<PackageId> id = packages_.find(name);
    if (!id) {
      candidate.removed.push_back(name);
      continue;
    }
    // If some targets are unknown, other packages may be wanted, but not those that the system provides now.
    bool is_wanted = view.wanted.contains(*id) || (!view.all_known && !view.graph->is_dummy(*id));
    auto needed = view.graph->normal_dependencies(*id);
    if (!is_wanted)
      candidate.unwanted.push_back(name);
    else if (installed.fingerprint.empty() ||
             (installed.version == packages_[*id].version && !is_ready(view, snapshot, *id) &&
              std::none_of(needed.begin(), needed.end(), is_built)))
      candidate.stale.push_back(name);
  }
  bool must_uninstall = !candidate.stale.empty() || !candidate.removed.empty() || !candidate.unwanted.empty();
  if (must_uninstall && plan_.table.uninstall.empty() && candidate.refused.empty())
    candidate.refused =
        "packages in it are out of date, and the stage table does not say how to uninstall them";
}

void CandidateJudge::weigh(Candidate& candidate) const {
  const SnapshotPtr& from = candidate.snapshot != nullptr ? candidate.snapshot : options_.base;
  // configure's decisions if they are known; otherwise the previous ones are assumed.
  const View& view = this->view(plan_.configured || from == nullptr ? plan_.configured : from->configured);
  std::vector<PackageId> to_build;
  for (PackageId id : view.wanted)
    if (from == nullptr || view.graph->is_forced(id) || !is_ready(view, *from, id)) to_build.push_back(id);
  std::set<PackageId> not_ready(to_build.begin(), to_build.end());
  if (from != nullptr) {
    judge(view, *from, candidate);
    for (PackageId id : view.graph->rebuilt_with(to_build))
      if (view.wanted.contains(id)) not_ready.insert(id);
  }
  candidate.to_build.assign(not_ready.begin(), not_ready.end());
  candidate.ready = view.wanted.size() - candidate.to_build.size();
  if (candidate.snapshot != nullptr)
    candidate.fetch_seconds = options_.costs.of_fetching(*candidate.snapshot);
  for (PackageId id : candidate.to_build) candidate.build_seconds += options_.costs.of_package(id);
}

}  // namespace stagemake
