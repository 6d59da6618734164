// `stagemake diff`: what a change makes to be built again, where, and how long that takes, before anything is
// built.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/wrap.h"
#include "cli/commands.h"
#include "cli/inspection.h"
#include "cli/revision.h"
#include "plan/plan_diff.h"
#include "run/build.h"
#include "run/learned.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostNamed = 6;      // environments of a group, in text
constexpr std::size_t kMostPackages = 40;  // of a group, in text

// One of the two trees that are compared.
struct Side {
  Side(const Options& options, const fs::path& path, const fs::path& cache)
      : tree(open_tree(at(options, path))),
        sources(tree.path, cache, std::time(nullptr)),
        reader(environment_reader(
            tree, [] { return std::string(); }, MayRun::Nothing)) {}

  static Options at(Options options, const fs::path& path) {
    options.tree = path;
    return options;
  }

  Tree tree;
  SourceTree sources;
  EnvironmentReader reader;
};

// An environment in both trees; nothing where a tree does not know it.
struct Compared {
  std::string name;
  bool was = false, is = false;
  PlanDiff diff = {};
  bool is_exact = false;
};

class Comparison {
 public:
  Comparison(const Options& options, const StateFolder& state, Side& before, Side& after)
      : options_(options),
        state_(state),
        before_(before),
        after_(after),
        predictions_(learned(Journal(state.journal()).read(), {})) {
    for (const std::string& target :
         options.to.empty() ? std::vector<std::string>{after.tree.table.default_stage} : options.to)
      targets_.push_back(stage_named(after.tree.table, target));
  }

  std::vector<Compared> environments() {
    std::vector<Compared> all;
    for (const std::string& name : chosen()) all.push_back(compared(name));
    return all;
  }

 private:
  // What either tree offers, in the order of the later one.
  std::vector<std::string> chosen() const {
    EnvironmentChoice choice = options_.choice;
    for (const std::string& name : options_.environments) choice.names.push_back(name);
    choice.all = choice.all || (choice.names.empty() && choice.systems.empty());
    choice.exactly = options_.given.contains("SAGE_PACKAGE_LIST_ARGS");
    std::vector<std::string> names;
    std::optional<Error> failed;
    for (const Side* side : {&after_, &before_}) {
      try {
        for (std::string& name : choose(environment_list(side->tree), choice))
          if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
      } catch (const Error& error) {
        if (!failed) failed = error;
      }
    }
    if (names.empty() && failed) throw *failed;
    return names;
  }

  std::optional<Environment> resolved(Side& side, const std::string& name,
                                      std::optional<Error>& failed) const {
    try {
      return side.reader.resolve({.name = name, .given = options_.given});
    } catch (const Error& error) {
      failed = error;
      return std::nullopt;
    }
  }

  StagePlan plan(Side& side, const Environment& environment) {
    return make_stage_plan(side.tree.packages, graph(side, environment, {}), side.tree.table, environment,
                           side.sources);
  }
  static DependencyGraph graph(const Side& side, const Environment& environment,
                               const std::optional<ConfiguredPackages>& configured) {
    return {side.tree.packages, side.tree.variables,
            graph_options(environment, side.tree.packages, side.tree.variables, configured)};
  }

  Compared compared(const std::string& name) {
    std::optional<Error> no_before, no_after;
    std::optional<Environment> was = resolved(before_, name, no_before),
                               is = resolved(after_, name, no_after);
    if (!was && !is) throw *no_after;
    Compared result{.name = name, .was = was.has_value(), .is = is.has_value()};
    if (!was || !is) return result;
    StagePlan old_plan = plan(before_, *was), new_plan = plan(after_, *is);
    // Where configure has not run with the later sources, it is thought to decide as with the earlier ones.
    std::optional<ConfiguredPackages> decided = known_configured(state_, old_plan, {});
    std::optional<ConfiguredPackages> decides = known_configured(state_, new_plan, {});
    result.is_exact = decided && decides;
    if (!decides) decides = decided;
    if (decided) set_packages_exactly(old_plan, graph(before_, *was, decided), *decided);
    if (decides && decided) set_packages_exactly(new_plan, graph(after_, *is, decides), *decides);
    Costs costs = predicted_costs(predictions_, after_.tree.packages, new_plan);
    result.diff = plan_diff({old_plan, before_.tree.packages, before_.tree.variables},
                            {new_plan, after_.tree.packages, after_.tree.variables}, targets_, costs,
                            [this](const std::string& path) { return files(path); });
    return result;
  }

  const std::vector<std::string>& files(const std::string& path) {
    auto [found, is_new] = files_.try_emplace(path);
    if (is_new) found->second = changed_files(before_.sources.below(path), after_.sources.below(path), path);
    return found->second;
  }

  const Options& options_;
  const StateFolder& state_;
  Side& before_;
  Side& after_;
  Predictions predictions_;
  std::vector<std::size_t> targets_;
  std::map<std::string, std::vector<std::string>> files_;  // that differ, by path
};

// Environments of which the same can be said.
struct Group {
  std::vector<const Compared*> members;
  const PlanDiff& diff() const { return members.front()->diff; }
};

std::vector<Group> groups_of(const std::vector<Compared>& all) {
  std::vector<Group> groups;
  for (const Compared& one : all) {
    if (!one.was || !one.is) continue;
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& group) { return group.diff().same_as(one.diff); });
    if (found == groups.end()) found = groups.insert(groups.end(), Group{});
    found->members.push_back(&one);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::pair(a.diff().is_empty(), -static_cast<double>(a.members.size())) <
           std::pair(b.diff().is_empty(), -static_cast<double>(b.members.size()));
  });
  return groups;
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

void print_wrapped(std::string_view first, const std::string& text) {
  std::vector<std::string> parts;
  for (std::string_view word : words(text)) parts.emplace_back(word);
  fmt::print("{}", wrapped(first, parts));
}

void print_packages(const std::vector<PackageChange>& changes, const std::vector<Compared>& environments) {
  std::set<std::string> built;
  for (const Compared& one : environments) built.insert(one.diff.packages.begin(), one.diff.packages.end());
  std::vector<std::string> real, elsewhere, beside;
  std::set<std::string> changed;
  for (const PackageChange& change : changes) {
    bool is_used = built.contains(change.name) || change.kind == PackageChange::Kind::Gone;
    if (change.kind == PackageChange::Kind::Beside)
      beside.push_back(change.name);
    else
      (is_used ? real : elsewhere).push_back(change.text());
    changed.insert(change.name);
  }
  if (real.empty() && elsewhere.empty()) fmt::print("no package changes in what a build depends on\n");
  auto list = [](std::size_t count, const char* one, const char* many, const std::vector<std::string>& all) {
    if (count == 0) return;
    std::string head = count == 1 ? std::string(one) : fmt::format("{} {}", count, many);
    print_wrapped("", head + ": " + some_of(all, kMostPackages));
  };
  list(real.size(), "1 package changes", "packages change", real);
  list(elsewhere.size(), "1 more changes, which no environment here builds",
       "more change, which no environment here builds", elsewhere);
  list(beside.size(), "of 1 only what no build of it depends on changes",
       "only in what no build of them depends on", beside);
}

std::string seconds_text(const Group& group) {
  double least = group.diff().seconds, most = least;
  for (const Compared* one : group.members) {
    least = std::min(least, one->diff.seconds);
    most = std::max(most, one->diff.seconds);
  }
  std::string low = duration_text(least), high = duration_text(most);
  if (group.members.size() == 1) return "about " + low;
  return low == high ? fmt::format("about {} each", low) : fmt::format("{} to {} each", low, high);
}

// "bootstrapped (changed: …), then configured and with-targets"
std::string stages_text(const PlanDiff& diff) {
  std::vector<std::string> parts;
  std::vector<std::string> after;
  auto flush = [&] {
    if (!after.empty()) parts.push_back("then " + join(after, ", "));
    after.clear();
  };
  for (const RerunStage& stage : diff.stages) {
    if (stage.reasons.empty()) {
      after.push_back(stage.name);
      continue;
    }
    flush();
    parts.push_back(fmt::format("{} ({})", stage.name, join(stage.reasons, "; ")));
  }
  flush();
  return join(parts, "; ");
}

void print_group(const Group& group, const std::set<std::string>& changed) {
  std::vector<std::string> names;
  for (const Compared* one : group.members) names.push_back(one->name);
  print_wrapped("", fmt::format("{}: {}", counted(names.size(), "environment"), some_of(names, kMostNamed)));
  const PlanDiff& diff = group.diff();
  if (diff.is_empty()) {
    fmt::print("  nothing is built again\n");
    return;
  }
  std::string what = diff.packages.empty() ? std::string("no package is built again")
                                           : counted(diff.packages.size(), "package") +
                                                 (diff.is_whole ? ", all that there are" : "");
  print_wrapped("  ", fmt::format("{}, {}", what, seconds_text(group)));
  print_wrapped("  ", "runs again: " + stages_text(diff));
  if (diff.is_whole)
    print_wrapped("  ",
                  fmt::format("begins {}: no image with packages can be gone on in",
                              diff.begins_in.empty() ? "at the base image" : "after " + diff.begins_in));
  std::vector<std::string> because;
  for (const std::string& name : diff.packages)
    if (!changed.contains(name)) because.push_back(name);
  if (!because.empty() && !diff.is_whole)
    print_wrapped(
        "  ", fmt::format("{} because of what {}: {}", counted(because.size(), "package"),
                          because.size() == 1 ? "it needs" : "they need", some_of(because, kMostPackages)));
  if (!diff.removed.empty()) print_wrapped("  ", "uninstalled: " + some_of(diff.removed, kMostPackages));
}

void print_text(const std::vector<PackageChange>& changes, const std::vector<Compared>& environments) {
  print_packages(changes, environments);
  std::set<std::string> changed;
  for (const PackageChange& change : changes)
    if (change.kind != PackageChange::Kind::Beside) changed.insert(change.name);
  for (const Group& group : groups_of(environments)) {
    fmt::print("\n");
    print_group(group, changed);
  }
  std::vector<std::string> added, gone;
  double seconds = 0;
  std::size_t touched = 0;
  bool is_exact = true;
  for (const Compared& one : environments) {
    if (!one.was) added.push_back(one.name);
    if (!one.is) gone.push_back(one.name);
    seconds += one.diff.seconds;
    touched += one.diff.is_empty() ? 0 : 1;
    is_exact = is_exact && (one.diff.is_empty() || one.is_exact);
  }
  fmt::print("\n");
  if (!added.empty()) print_wrapped("", "new environments, not counted: " + some_of(added, kMostNamed));
  if (!gone.empty()) print_wrapped("", "environments that are no more: " + some_of(gone, kMostNamed));
  if (touched == 0) {
    fmt::print("nothing is built again\n");
    return;
  }
  print_wrapped("", fmt::format("in all {} of {} environments, {} one after the other{}", touched,
                                environments.size(), duration_text(seconds),
                                is_exact ? "" : ", at most: configure may find some packages on the system"));
}

ordered_json environment_json(const Compared& one) {
  ordered_json stages = ordered_json::array();
  for (const RerunStage& stage : one.diff.stages)
    stages.push_back({{"name", stage.name}, {"reasons", stage.reasons}});
  return {{"name", one.name},
          {"status", !one.was              ? "new"
                     : !one.is             ? "removed"
                     : one.diff.is_empty() ? "same"
                                           : "changed"},
          {"stages", stages},
          {"packages", one.diff.packages},
          {"uninstalled", one.diff.removed},
          {"begins_in", one.diff.is_empty() || one.diff.begins_in.empty() ? ordered_json()
                                                                          : ordered_json(one.diff.begins_in)},
          {"upper_bound", !one.is_exact},
          {"seconds", one.diff.seconds}};
}

ordered_json json_of(const Revision& before, const Revision* after, const std::vector<PackageChange>& changes,
                     const std::vector<Compared>& environments) {
  constexpr const char* kKinds[] = {"new", "removed", "version", "files", "beside"};
  ordered_json packages = ordered_json::array(), all = ordered_json::array();
  double seconds = 0;
  auto version = [](const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); };
  for (const PackageChange& change : changes)
    packages.push_back({{"name", change.name},
                        {"change", kKinds[static_cast<int>(change.kind)]},
                        {"before", version(change.before)},
                        {"after", version(change.after)},
                        {"files", change.files}});
  for (const Compared& one : environments) {
    all.push_back(environment_json(one));
    seconds += one.diff.seconds;
  }
  return {
      {"schema", 1},
      {"before", {{"revision", before.name()}, {"commit", before.commit()}}},
      {"after", after == nullptr ? ordered_json()
                                 : ordered_json({{"revision", after->name()}, {"commit", after->commit()}})},
      {"packages", packages},
      {"environments", all},
      {"seconds", seconds}};
}

// What is wrong in a revision's files is told of the revision: nobody knows the folder in which they lie.
std::unique_ptr<Side> opened(const Options& options, const Revision& revision, const fs::path& cache) {
  try {
    return std::make_unique<Side>(options, revision.path(), cache);
  } catch (const Error& error) {
    std::vector<Fault> faults;
    for (Fault fault : error.faults()) {
      if (std::size_t at = fault.where.find(revision.path().string()); at != std::string::npos)
        fault.where.replace(at, revision.path().string().size(), ".");
      fault.where = revision.name() + (fault.where.empty() ? "" : ":" + fault.where);
      faults.push_back(std::move(fault));
    }
    throw Error(error.status(), std::move(faults));
  }
}

}  // namespace

int diff_command(const Options& options) {
  boost::system::error_code failed;
  fs::path path = fs::canonical(tree_path(options), failed);
  if (failed) throw bad_input(tree_path(options).string(), failed.message());
  StateFolder state(options.state, path);
  RevisionRange range = revision_range(path, options.inspection.revisions);
  Revision old_revision(path, range.before, state.temporary());
  std::optional<Revision> new_revision;
  if (!range.after.empty()) new_revision.emplace(path, range.after, state.temporary());
  std::unique_ptr<Side> before = opened(options, old_revision, old_revision.path().parent_path() / "ids");
  std::unique_ptr<Side> after =
      new_revision ? opened(options, *new_revision, new_revision->path().parent_path() / "ids")
                   : std::make_unique<Side>(options, path, state.source_ids());
  std::vector<PackageChange> changes =
      package_changes(before->tree.packages, before->sources, after->tree.packages, after->sources);
  std::vector<Compared> environments = Comparison(options, state, *before, *after).environments();
  if (!new_revision) after->sources.save_cache();
  if (options.json)
    fmt::print("{}\n", json_of(old_revision, new_revision ? &*new_revision : nullptr, changes, environments)
                           .dump(2, ' ', false, ordered_json::error_handler_t::replace));
  else
    print_text(changes, environments);
  return 0;
}

}  // namespace stagemake
