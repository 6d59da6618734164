#include "plan/dependency_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"
#include "tree/make_rule.h"

namespace stagemake {

Checks checks_of(const PackageIndex& packages, const MakeVariables& variables, std::string_view sage_check) {
  Checks checks;
  if (sage_check.empty() || sage_check == "no") return checks;
  checks.all = true;
  if (packages.features().own_distributions_unchecked)
    for (const Package& package : packages)
      if (package.name.find("sagemath_") != std::string::npos) checks.except.insert(package.name);
  const auto* defaults = variables.find("SAGE_CHECK_PACKAGES_DEFAULT_" + std::string(sage_check));
  if (defaults == nullptr) return checks;
  for (std::string_view clause : split(defaults->text, ',')) {
    if (clause.starts_with('!')) checks.except.emplace(clause.substr(1));
    if (clause.starts_with('?')) checks.except.erase(std::string(clause.substr(1)));
  }
  return checks;
}

DependencyGraph::DependencyGraph(const PackageIndex& packages, const MakeVariables& variables,
                                 const GraphOptions& options, Faults* faults)
    : packages_(packages) {
  Faults of_options, of_words;
  dummy_ = marked(options.dummies, "packages taken from the system", of_options);
  installed_ = marked(options.installed, "installed packages", of_options);
  for (PackageId id = 0; id < packages.size(); ++id) {
    if (packages[id].type == PackageType::Standard) installed_[id] = true;
    // make keeps no stamps of pip packages, so a dummy cannot replace them.
    if (make_rule(packages[id].source) == MakeRule::Pip) dummy_[id] = false;
  }
  std::vector<bool> tested = checked(options.checks);
  DependencyWords words(packages, variables, installed_, tested, of_words);
  add_rules(words, tested);
  targets_.emplace(packages, target_lists(variables, words));
  faults_ = of_words.list();
  sort_topologically();
  if (faults == nullptr) {
    of_options.throw_if_any();
  } else {
    faults->add(of_options.list());
    faults->add(faults_);
    faults->add(circles_);
  }
}

std::vector<bool> DependencyGraph::marked(const std::set<std::string>& names, std::string_view option,
                                          Faults& faults) const {
  std::vector<bool> flags(packages_.size());
  for (const std::string& name : names) {
    if (auto id = packages_.find(name)) {
      flags[*id] = true;
      continue;
    }
    std::vector<std::string> alike = nearest(name, packages_.names());
    faults.add("", fmt::format("{}: `{}` is not a package{}", option, shown(name),
                               alike.empty() ? "" : "; did you mean " + join(alike, " or ") + "?"));
  }
  return flags;
}

std::vector<bool> DependencyGraph::checked(const Checks& checks) const {
  using Checked = TreeFeatures::Checked;
  Checked which = packages_.features().checked;
  std::vector<bool> flags(packages_.size());
  for (PackageId id = 0; checks.all && id < packages_.size(); ++id) {
    MakeRule rule = make_rule(packages_[id].source);
    bool counts = rule == MakeRule::Normal || (rule == MakeRule::Script && which == Checked::NormalAndScript);
    flags[id] = counts && !checks.except.contains(packages_[id].name);
  }
  return flags;
}

void DependencyGraph::add_rules(DependencyWords& words, const std::vector<bool>& checked) {
  rules_.resize(packages_.size());
  forced_.resize(packages_.size());
  last_edge_.resize(packages_.size());
  edges_.reserve(packages_.size() * 8);
  for (PackageId id = 0; id < packages_.size(); ++id) {
    std::vector<PrerequisiteList> lists = make_rule_of(packages_, id, words, checked[id]);
    Rule& rule = rules_[id];
    rule.begin = static_cast<std::uint32_t>(edges_.size());
    for (const PrerequisiteList& list : lists) {
      add_edges(list.references.normal, list.build, rule.begin);
      for (Reference reference : list.references.normal)
        if (skipped(reference)) taken_edges_.emplace_back(id, reference.id);
    }
    rule.order_only = static_cast<std::uint32_t>(edges_.size());
    for (const PrerequisiteList& list : lists) add_edges(list.references.order_only, list.build, rule.begin);
    rule.end = static_cast<std::uint32_t>(edges_.size());
    for (const PrerequisiteList& list : lists) forced_[id] = forced_[id] || list.references.forced;
  }
}

// A repeated prerequisite counts once; one that is both normal and order-only is normal.
void DependencyGraph::add_edges(const std::vector<Reference>& references, bool build, std::uint32_t begin) {
  for (Reference reference : references) {
    if (skipped(reference)) continue;
    std::uint32_t& last = last_edge_[reference.id];
    if (last > begin) {
      if (build) build_edges_[last - 1] = true;
      continue;
    }
    edges_.push_back(reference.id);
    build_edges_.push_back(build);
    last = static_cast<std::uint32_t>(edges_.size());
  }
}

std::vector<PackageId> DependencyGraph::built(const std::vector<Reference>& references) const {
  std::vector<PackageId> result;
  for (Reference reference : references)
    if (!skipped(reference)) result.push_back(reference.id);
  return result;
}

// The test is make's findstring: any part of a word matches, so SAGE_VENV_DOCS matches SAGE_VENV.
std::vector<PackageId> DependencyGraph::installed_in(std::string_view tree) const {
  std::vector<PackageId> result;
  for (PackageId id = 0; id < packages_.size(); ++id) {
    if (!installed_[id] || dummy_[id]) continue;
    for (const std::string& own : packages_[id].trees) {
      if (own.find(tree) == std::string::npos) continue;
      result.push_back(id);
      break;
    }
  }
  return result;
}

TargetLists DependencyGraph::target_lists(const MakeVariables& variables, DependencyWords& words) const {
  // These rules use `$(inst_…)`, which is empty if there is no such package.
  auto named = [&](const MakeVariables::Value& rule) {
    std::vector<PackageId> result;
    for (std::string_view word : dependency_words(rule.text)) {
      if (!word.starts_with("$(inst_") || !word.ends_with(')')) continue;
      auto id = packages_.find(word.substr(7, word.size() - 8));
      if (id && !dummy_[*id]) result.push_back(*id);
    }
    return result;
  };
  TargetLists lists;
  lists.base = named(variables.base());
  lists.toolchain = built(words.packages_of("TOOLCHAIN"));
  lists.toolchain_deps = built(words.packages_of("TOOLCHAIN_DEPS"));
  lists.sageruntime = built(words.packages_of("SAGERUNTIME"));
  lists.wheels = built(words.packages_of("WHEEL_PACKAGES"));
  std::vector<std::string_view> first = stagemake::words(variables.base_toolchain().text);
  if (std::find(first.begin(), first.end(), "base") != first.end()) lists.base_toolchain = lists.base;
  lists.base_toolchain.insert(lists.base_toolchain.end(), lists.toolchain.begin(), lists.toolchain.end());
  lists.local = installed_in("SAGE_LOCAL");
  lists.venv = installed_in("SAGE_VENV");
  lists.docs = installed_in("SAGE_DOCS");
  // In the order of those makefiles: the library first; the oldest have a separate list of packages that are
  // not standard.
  auto rank = [&](PackageId id) {
    bool is_in_first = packages_.features().tree_targets || packages_[id].type == PackageType::Standard;
    return packages_[id].name == "sagelib" ? 0 : is_in_first ? 1 : 2;
  };
  for (PackageId id = 0; id < packages_.size(); ++id)
    if (installed_[id] && !dummy_[id]) lists.sage.push_back(id);
  std::stable_sort(lists.sage.begin(), lists.sage.end(),
                   [&](PackageId a, PackageId b) { return rank(a) < rank(b); });
  if (!packages_.find("sagelib")) {
    lists.sagelib = built(words.packages_in(variables.sagelib().text));
    // The library comes first, preceded by its dependencies.
    std::vector<PackageId> sagelib_first = lists.sagelib;
    for (PackageId id : lists.sage)
      if (std::find(sagelib_first.begin(), sagelib_first.end(), id) == sagelib_first.end())
        sagelib_first.push_back(id);
    lists.sage = std::move(sagelib_first);
  }
  if (auto doc = packages_.find("sagemath_doc_html"))
    lists.doc_html = {*doc};
  else
    lists.doc_html = built(words.packages_of("DOC_DEPENDENCIES"));
  return lists;
}

std::span<const PackageId> DependencyGraph::normal_dependencies(PackageId id) const {
  const Rule& rule = (acyclic_rules_.empty() ? rules_ : acyclic_rules_)[id];
  const PackageId* edges = (acyclic_rules_.empty() ? edges_ : acyclic_edges_).data();
  return {edges + rule.begin, edges + rule.order_only};
}

std::span<const PackageId> DependencyGraph::order_only_dependencies(PackageId id) const {
  const Rule& rule = (acyclic_rules_.empty() ? rules_ : acyclic_rules_)[id];
  const PackageId* edges = (acyclic_rules_.empty() ? edges_ : acyclic_edges_).data();
  return {edges + rule.order_only, edges + rule.end};
}

// Visits depth first, dependencies before users, without recursion, because the tree determines the depth.
// `done` is called once per package, `circle` for an edge back to a package that is still open.
class DependencyGraph::Walk {
 public:
  explicit Walk(const DependencyGraph& graph)
      : graph_(graph), state_(graph.packages_.size(), State::Unseen) {}

  template <class Done, class Circle>
  void from(PackageId root, Done done, Circle circle) {
    if (state_[root] != State::Unseen) return;
    open(root);
    while (!path_.empty()) {
      auto& [id, next] = path_.back();
      if (next == graph_.rules_[id].end) {
        state_[id] = State::Done;
        done(id);
        path_.pop_back();
        continue;
      }
      PackageId dependency = graph_.edges_[next++];
      if (state_[dependency] == State::Unseen)
        open(dependency);
      else if (state_[dependency] == State::Open)
        circle(circle_to(dependency));
    }
  }

 private:
  enum class State : unsigned char { Unseen, Open, Done };

  void open(PackageId id) {
    state_[id] = State::Open;
    path_.push_back({id, graph_.rules_[id].begin});
  }

  std::vector<PackageId> circle_to(PackageId id) const {
    std::vector<PackageId> circle;
    for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
      circle.push_back(place->first);
      if (place->first == id) break;
    }
    std::reverse(circle.begin(), circle.end());
    return circle;
  }

  const DependencyGraph& graph_;
  std::vector<State> state_;
  std::vector<std::pair<PackageId, std::uint32_t>> path_;  // a package and its next edge
};

void DependencyGraph::sort_topologically() {
  unsigned left = 20;  // in a dense graph, there are more cycles than packages
  std::set<std::pair<PackageId, PackageId>> closing;
  auto close = [&](std::vector<PackageId> circle) {
    closing.emplace(circle.back(), circle.front());
    if (left > 0) add_circle(std::move(circle));
    left -= left > 0;
  };
  topological_.reserve(packages_.size());
  Walk walk(*this);
  for (PackageId id = 0; id < packages_.size(); ++id)
    walk.from(
        id, [&](PackageId done) { topological_.push_back(done); }, close);
  if (!closing.empty()) drop_edges(closing);
}

void DependencyGraph::drop_edges(const std::set<std::pair<PackageId, PackageId>>& dropped) {
  acyclic_rules_.reserve(rules_.size());
  for (PackageId id = 0; id < packages_.size(); ++id) {
    const Rule& whole = rules_[id];
    Rule kept{.begin = static_cast<std::uint32_t>(acyclic_edges_.size())};
    for (std::uint32_t edge = whole.begin; edge < whole.end; ++edge) {
      if (edge == whole.order_only) kept.order_only = static_cast<std::uint32_t>(acyclic_edges_.size());
      if (!dropped.contains({id, edges_[edge]})) acyclic_edges_.push_back(edges_[edge]);
    }
    kept.end = static_cast<std::uint32_t>(acyclic_edges_.size());
    if (whole.order_only == whole.end) kept.order_only = kept.end;
    acyclic_rules_.push_back(kept);
  }
}

void DependencyGraph::add_circle(std::vector<PackageId> circle) {
  // Starts with the first name, so that a cycle that is found twice is reported once.
  std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
  std::string text;
  for (PackageId id : circle) text += printable(packages_[id].name) + " → ";
  const Package& first = packages_[circle.front()];
  std::string_view file = first.line(DependencyFile::Main) ? "/dependencies:1" : "";
  Fault fault{fmt::format("build/pkgs/{}{}", printable(first.name), file),
              fmt::format("depends on itself: {}{}", text, printable(first.name)), first.name};
  if (std::find(circles_.begin(), circles_.end(), fault) == circles_.end())
    circles_.push_back(std::move(fault));
}

std::vector<PackageId> DependencyGraph::build_order(const std::vector<std::string>& targets) const {
  Faults faults;
  std::vector<PackageId> order;
  std::vector<bool> listed(packages_.size());
  auto add = [&](PackageId id) {
    if (!listed[id]) order.push_back(id);
    listed[id] = true;
  };
  Walk walk(*this);
  auto visit = [&](PackageId id) { walk.from(id, add, [](const std::vector<PackageId>&) {}); };
  for (const std::string& target : targets) {
    auto parts = targets_->parts(target, dummy_);
    if (!parts) {
      std::vector<std::string> alike = nearest(target, known_targets());
      faults.add("", fmt::format("`{}` is not a target or package of this tree{}", shown(target),
                                 alike.empty() ? "" : "; did you mean " + join(alike, " or ") + "?"));
      continue;
    }
    for (const TargetPart& part : *parts) {
      if (part.extent == TargetPart::Extent::Whole)
        visit(part.id);
      else if (part.extent == TargetPart::Extent::Alone)
        add(part.id);
      else
        for (std::uint32_t edge = rules_[part.id].begin; edge < rules_[part.id].end; ++edge)
          if (part.extent == TargetPart::Extent::Dependencies || build_edges_[edge]) visit(edges_[edge]);
    }
  }
  faults.throw_if_any();
  return order;
}

std::vector<Fault> DependencyGraph::faults_of(const std::vector<PackageId>& packages) const {
  std::vector<Fault> found;
  if (faults_.empty() && packages_.faults().empty()) return found;
  std::set<std::string_view> owners;
  for (PackageId id : packages) owners.insert(packages_[id].name);
  for (const std::vector<Fault>* some : {&packages_.faults(), &faults_})
    for (const Fault& fault : *some)
      if (owners.contains(fault.owner)) found.push_back(fault);
  return found;
}

std::vector<PackageId> DependencyGraph::asked_by(const std::string& target) const {
  std::vector<PackageId> asked;
  auto parts = targets_->parts(target, dummy_);
  if (!parts) return asked;
  for (const TargetPart& part : *parts) {
    bool is_itself = part.extent == TargetPart::Extent::Whole || part.extent == TargetPart::Extent::Alone;
    if (is_itself) asked.push_back(part.id);
    for (std::uint32_t edge = rules_[part.id].begin; !is_itself && edge < rules_[part.id].end; ++edge)
      if (part.extent == TargetPart::Extent::Dependencies || build_edges_[edge])
        asked.push_back(edges_[edge]);
  }
  return asked;
}

std::vector<std::string> DependencyGraph::known_targets() const {
  std::vector<std::string> known = targets_->names();
  for (const Package& package : packages_) known.push_back(package.name);
  return known;
}

std::vector<PackageId> DependencyGraph::taken_dependencies(PackageId id) const {
  std::vector<PackageId> taken;
  for (auto at = std::lower_bound(taken_edges_.begin(), taken_edges_.end(), std::pair(id, PackageId{}));
       at != taken_edges_.end() && at->first == id; ++at)
    taken.push_back(at->second);
  return taken;
}

std::vector<PackageId> DependencyGraph::rebuilt_with(const std::vector<PackageId>& changed) const {
  std::vector<bool> stale(packages_.size());
  for (PackageId id : changed) stale[id] = true;
  std::vector<PackageId> result;
  for (PackageId id : topological_) {
    if (stale[id]) continue;
    auto dependencies = normal_dependencies(id);
    if (std::none_of(dependencies.begin(), dependencies.end(), [&](PackageId other) { return stale[other]; }))
      continue;
    stale[id] = true;
    result.push_back(id);
  }
  return result;
}

}  // namespace stagemake
