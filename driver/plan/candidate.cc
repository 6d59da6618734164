#include "plan/candidate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/machine.h"
#include "base/text.h"

namespace stagemake {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

CandidateJudge::CandidateJudge(const StagePlan& plan, const PackageIndex& packages,
                               const DependencyGraph& graph, const RestoreOptions& options)
    : plan_(plan), packages_(packages), graph_(graph), options_(options) {
  for (std::size_t target : options.targets)
    for (std::size_t stage : plan.chain(target)) {
      const PlannedStage& planned = plan.stages[stage];
      wanted_.insert(planned.packages.begin(), planned.packages.end());
      all_known_ = all_known_ && planned.unknown_targets.empty();
    }
}

bool CandidateJudge::same_environment(const Snapshot& snapshot) const {
  return snapshot.distribution == plan_.table.distribution && snapshot.environment == plan_.environment.name;
}

bool CandidateJudge::same_base(const Snapshot& snapshot) const {
  return options_.base_digest.empty() || snapshot.base_digest.empty() ||
         snapshot.base_digest == options_.base_digest;
}

std::string CandidateJudge::unfit(const Snapshot& snapshot) const {
  if (auto found = options_.refused.find(&snapshot); found != options_.refused.end()) return found->second;
  if (options_.only != nullptr && &snapshot != options_.only) return "another one was asked for (--restore)";
  if (options_.base_policy == BasePolicy::Follow && !same_base(snapshot))
    return "it was built on another content of the base image";
  if (options_.clean_only && !snapshot.clean) return "it has an incremental ancestor (--clean-only)";
  if (!options_.cpu.empty())
    if (std::vector<std::string> lacking = lacking_features(snapshot.cpu, options_.cpu); !lacking.empty())
      return fmt::format("it was built on a CPU with {}, which this machine lacks",
                         printable(join(lacking, ", ").substr(0, 200)));
  return {};
}

std::string CandidateJudge::unfit_to_continue(const Snapshot& snapshot) const {
  if (std::string why = unfit(snapshot); !why.empty()) return why;
  if (options_.clean_only) return "a build that goes on in it is not clean (--clean-only)";
  for (const LineageEntry& entry : snapshot.lineage) {
    std::optional<std::size_t> at = plan_.table.find(entry.stage);
    if (!at) return fmt::format("it has a stage {} that is no more", printable(entry.stage));
    const PlannedStage& stage = plan_.stages[*at];
    if (!stage.parent && entry.key != stage.key) {
      for (const KeyInput& input : stage.inputs)
        if (std::find(entry.inputs.begin(), entry.inputs.end(), input) == entry.inputs.end())
          return fmt::format("other system: {} of {} is other", printable(input.name), stage.name);
      return fmt::format("other system: {} is other", stage.name);
    }
    if (!plan_.table.stages[*at].make_targets.empty()) continue;
    for (const KeyInput& input : stage.inputs) {
      if (input.name == kParentInput || contains(plan_.table.stages[*at].adds, input.name)) continue;
      if (std::find(entry.inputs.begin(), entry.inputs.end(), input) == entry.inputs.end())
        return fmt::format("{} of {} is other", printable(input.name), stage.name);
    }
  }
  return {};
}

// What a clean build on what configure decided in this image would have installed; null where that is not
// known. Optional packages may be enabled by configure: their users' targets say nothing of them.
const std::set<PackageId>* CandidateJudge::wanted_in(const Snapshot& snapshot) const {
  if (!all_known_) return nullptr;
  if (!plan_.configuring_stage()) return &wanted_;
  if (!snapshot.configured) return nullptr;
  auto [found, is_new] = enabled_.try_emplace(snapshot.configured->installed);
  if (is_new) {
    found->second = wanted_;
    std::vector<std::string> names;
    for (const std::string& name : snapshot.configured->installed)
      if (packages_.find(name)) names.push_back(name);
    for (PackageId id : graph_.build_order(names)) found->second.insert(id);
  }
  return &found->second;
}

// What was built with an own copy of what the system provides now: that copy goes.
std::vector<std::string> CandidateJudge::users_of_taken(const Snapshot& snapshot) const {
  std::vector<PackageId> taken;
  for (const auto& [name, installed] : snapshot.packages)
    if (std::optional<PackageId> id = packages_.find(name); id && graph_.is_dummy(*id)) taken.push_back(*id);
  std::vector<std::string> users;
  if (taken.empty()) return users;
  for (PackageId id : graph_.rebuilt_with(taken))
    // A target may name a package that the system provides: it is made all the same.
    if (!graph_.is_dummy(id) || wanted_.contains(id)) users.push_back(packages_[id].name);
  return users;
}

void CandidateJudge::judge_packages(const Snapshot& snapshot, Candidate& candidate) const {
  std::vector<std::string> users = users_of_taken(snapshot);
  const std::set<PackageId>* wanted = wanted_in(snapshot);
  for (const auto& [name, installed] : snapshot.packages) {
    std::optional<PackageId> id = packages_.find(name);
    if (!id)
      candidate.removed.push_back(name);
    else if (wanted != nullptr && !wanted->contains(*id))
      candidate.unwanted.push_back(name);
    else if (installed.fingerprint.empty() || contains(users, name) ||
             (installed.version == packages_[*id].version &&
              installed.fingerprint != plan_.fingerprints[*id]))
      candidate.stale.push_back(name);
  }
  bool must_uninstall = !candidate.stale.empty() || !candidate.removed.empty() || !candidate.unwanted.empty();
  if (must_uninstall && plan_.table.uninstall.empty() && candidate.refused.empty())
    candidate.refused =
        "packages in it are out of date, and the table of stages says nothing of uninstalling";
}

void CandidateJudge::weigh(Candidate& candidate) const {
  const Snapshot* from = candidate.snapshot != nullptr ? candidate.snapshot : options_.base;
  if (from == nullptr) {
    candidate.to_build.assign(wanted_.begin(), wanted_.end());
  } else {
    judge_packages(*from, candidate);
    std::vector<PackageId> to_build;
    for (PackageId id : wanted_) {
      auto found = from->packages.find(packages_[id].name);
      if (graph_.is_forced(id) || found == from->packages.end() ||
          found->second.version != packages_[id].version || found->second.fingerprint.empty() ||
          found->second.fingerprint != plan_.fingerprints[id] ||
          contains(candidate.stale, packages_[id].name))
        to_build.push_back(id);
    }
    std::set<PackageId> not_ready(to_build.begin(), to_build.end());
    for (PackageId id : graph_.rebuilt_with(to_build))
      if (wanted_.contains(id)) not_ready.insert(id);
    candidate.to_build.assign(not_ready.begin(), not_ready.end());
  }
  candidate.ready = wanted_.size() - candidate.to_build.size();
  if (candidate.snapshot != nullptr)
    candidate.fetch_seconds = options_.costs.of_fetching(*candidate.snapshot);
  for (PackageId id : candidate.to_build) candidate.build_seconds += options_.costs.of_package(id);
}

}  // namespace stagemake
