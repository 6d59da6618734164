#include "plan/package_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tree/make_rule.h"

namespace stagemake {
namespace {

bool contains(const std::vector<PackageId>& list, PackageId id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

class Teller {
 public:
  Teller(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
         const DependencyGraph& graph)
      : plan_(plan), packages_(packages), graph_(graph), is_planned_(packages.size()) {
    for (const PlannedStage& stage : plan.stages)
      for (PackageId id : stage.packages) is_planned_[id] = true;
    // If all tests together form a cycle, nobody can run them: then they are left out.
    GraphOptions all_tests = graph_options(plan.environment, packages, variables, plan.configured);
    all_tests.checks = checks_of(packages, variables, "yes");
    Faults circles;
    tested_ = std::make_unique<DependencyGraph>(packages, variables, all_tests, &circles);
    if (!circles.empty()) tested_.reset();
  }

  PackageStory of(PackageId id, const PackageSeconds& seconds) {
    PackageStory story{.package = id};
    tell_stage(story);
    tell_chains(story);
    tell_users(story);
    auto normal = graph_.normal_dependencies(id);
    auto order_only = graph_.order_only_dependencies(id);
    story.needs.assign(normal.begin(), normal.end());
    story.order_only_needs.assign(order_only.begin(), order_only.end());
    for (PackageId needed : tested_ ? needs_of(*tested_, id) : std::vector<PackageId>())
      if (!contains(story.needs, needed) && !contains(story.order_only_needs, needed))
        story.test_needs.push_back(needed);
    story.taken = graph_.taken_dependencies(id);
    story.before = needed_before(graph_, id);
    std::vector<PackageId> all = story.before;
    all.push_back(id);
    story.way = longest_way(graph_, all, seconds);  // a path that ends earlier could be extended to it, so it
                                                    // ends here
    return story;
  }

 private:
  static std::vector<PackageId> needs_of(const DependencyGraph& graph, PackageId id) {
    auto normal = graph.normal_dependencies(id);
    auto order_only = graph.order_only_dependencies(id);
    std::vector<PackageId> all(normal.begin(), normal.end());
    all.insert(all.end(), order_only.begin(), order_only.end());
    return all;
  }

  void tell_stage(PackageStory& story) const {
    PackageId id = story.package;
    std::vector<std::size_t> usual;
    if (std::optional<std::size_t> last = plan_.table.find(plan_.table.default_stage))
      usual = plan_.chain(*last);
    for (std::size_t s = 0; s < plan_.stages.size() && !story.stage; ++s) {
      const std::vector<PackageId>& added = plan_.stages[s].packages;
      auto found = std::find(added.begin(), added.end(), id);
      if (found == added.end()) continue;
      story.stage = s;
      story.by_default = std::find(usual.begin(), usual.end(), s) != usual.end();
      story.place = static_cast<std::size_t>(found - added.begin()) + 1;
      story.of = added.size();
    }
    story.from_system = graph_.is_dummy(id);
    if (!story.stage) story.why_not = why_not(id);
  }

  std::string why_not(PackageId id) const {
    const Package& package = packages_[id];
    if (graph_.is_dummy(id)) return "configure uses the system's package";
    bool is_extra = package.type == PackageType::Optional || package.type == PackageType::Experimental;
    std::string_view article = is_extra ? "an" : "a";
    std::string kind = fmt::format("it is {} {} package", article, name(package.type));
    if (make_rule(package.source) == MakeRule::Pip) kind += " that pip fetches";
    if (is_extra && graph_.is_installed(id)) return kind + "; it is enabled, but no target requests it";
    if (is_extra)
      return kind + ", nothing enables it (configure --enable-" + package.name + ", or make " + package.name +
             "), and nothing that is built needs it";
    return kind + " that no target of these stages requests, and nothing that they build needs it";
  }

  // The chains from the targets of the stages up to the one that builds it; none if no stage builds it.
  void tell_chains(PackageStory& story) const {
    if (!story.stage) return;
    for (const std::string& target : plan_.stages[*story.stage].make_targets) {
      std::vector<PackageId> asked = graph_.asked_by(target);
      std::vector<PackageId> chain = shortest_chain(graph_, asked, story.package);
      if (chain.empty()) continue;
      if (story.chains.empty() || chain.size() < story.chains.front().packages.size())
        story.chains = {{plan_.stages[*story.stage].name, target, chain}};
    }
    if (story.chains.empty() || story.chains.front().packages.size() > 1) return;
    // A target that names every standard package says little; a chain through a dependent says more.
    std::optional<TargetChain> through;
    for (const PlannedStage& stage : plan_.stages)
      for (const std::string& target : stage.make_targets) {
        std::vector<PackageId> asked = graph_.asked_by(target);
        if (contains(asked, story.package)) continue;
        std::vector<PackageId> chain = shortest_chain(graph_, asked, story.package);
        if (!chain.empty() && (!through || chain.size() < through->packages.size()))
          through = {stage.name, target, chain};
      }
    if (!through) through = chain_from_ends(story.package);
    if (through) story.chains.push_back(std::move(*through));
  }

  // A chain from packages that targets name and that no other built package needs: they are built for their
  // own sake.
  std::optional<TargetChain> chain_from_ends(PackageId package) const {
    DependencyUsers users(graph_);
    auto is_end = [&](PackageId id) {
      auto is_built = [&](PackageId user) { return is_planned_[user]; };
      return id != package && std::none_of(users.normal(id).begin(), users.normal(id).end(), is_built) &&
             std::none_of(users.order_only(id).begin(), users.order_only(id).end(), is_built);
    };
    std::optional<TargetChain> shortest;
    for (const PlannedStage& stage : plan_.stages)
      for (const std::string& target : stage.make_targets) {
        std::vector<PackageId> ends = graph_.asked_by(target);
        std::erase_if(ends, [&](PackageId id) { return !is_end(id); });
        std::vector<PackageId> chain = shortest_chain(graph_, ends, package);
        if (!chain.empty() && (!shortest || chain.size() < shortest->packages.size()))
          shortest = {stage.name, target, std::move(chain)};
      }
    return shortest;
  }

  void tell_users(PackageStory& story) const {
    DependencyUsers users(graph_);
    auto sorted = [&](const std::vector<PackageId>& all, PackageUsers& into) {
      for (PackageId id : all) (is_planned_[id] ? into.planned : into.others).push_back(id);
    };
    PackageId id = story.package;
    sorted(users.normal(id), story.users);
    sorted(users.order_only(id), story.order_only_users);
    for (PackageId user : users.all(id)) story.all_planned_users += is_planned_[user] ? 1 : 0;
    if (!tested_) return;
    DependencyUsers tested(*tested_);
    std::vector<PackageId> only_tests;
    for (const std::vector<PackageId>* all : {&tested.normal(id), &tested.order_only(id)})
      for (PackageId user : *all)
        if (!contains(users.normal(id), user) && !contains(users.order_only(id), user))
          only_tests.push_back(user);
    sorted(only_tests, story.test_users);
  }

  const StagePlan& plan_;
  const PackageIndex& packages_;
  const DependencyGraph& graph_;
  std::unique_ptr<DependencyGraph> tested_;  // the graph with all packages' tests; null: unknown
  std::vector<bool> is_planned_;
};

}  // namespace

PackageStory story_of(const StagePlan& plan, const PackageIndex& packages, const MakeVariables& variables,
                      const DependencyGraph& graph, PackageId package, const PackageSeconds& seconds) {
  return Teller(plan, packages, variables, graph).of(package, seconds);
}

}  // namespace stagemake
