#include "cli/commands/diff_command.h"

// `stagemake diff`: what a change rebuilds, in which environments, and how long that takes, before anything
// is built.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "cli/commands/diff_report.h"
#include "cli/inspection.h"
#include "run/build/build.h"
#include "run/build/prepare.h"
#include "run/state/learned.h"
#include "schedule/predicted_costs.h"
#include "snapshot/explanation.h"

namespace stagemake {
namespace {

// One of the two compared trees.
struct Side {
  // `revision`: its name, empty for the user's own tree.
  Side(const Options& options, const fs::path& path, const fs::path& cache, const std::string& revision = {})
      : tree(open_tree(at(options, path), TreeCheck::Everything, revision)),
        graphs(tree.packages, tree.variables),
        sources(tree.path, cache, std::time(nullptr)),
        reader(environment_reader(
            tree, [] { return std::string(); }, MayRun::Nothing)) {}

  static Options at(Options options, const fs::path& path) {
    options.tree = path;
    return options;
  }

  Tree tree;
  DependencyGraphs graphs;
  SourceTree sources;
  EnvironmentReader reader;
};

class Comparison {
 public:
  Comparison(const Options& options, const StateFolder& state, const Predictions& predictions, Side& before,
             Side& after)
      : options_(options), state_(state), before_(before), after_(after), predictions_(predictions) {
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
  // The chosen environments of both trees, in the order of the later one.
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

  static StagePlan plan(Side& side, const Environment& environment) {
    return make_stage_plan(side.graphs, side.tree.table, environment, side.sources);
  }

  Compared compared(const std::string& name) {
    std::optional<Error> no_before, no_after;
    std::optional<Environment> was = resolved(before_, name, no_before),
                               is = resolved(after_, name, no_after);
    if (!was && !is) throw *no_after;
    Compared result{.name = name, .was = was.has_value(), .is = is.has_value()};
    if (!was || !is) return result;
    StagePlan old_plan = plan(before_, *was), new_plan = plan(after_, *is);
    // If configure has not run with the later sources, its decisions for the earlier ones are assumed.
    std::optional<ConfiguredPackages> decided = known_configured(state_, old_plan, {});
    std::optional<ConfiguredPackages> decides = known_configured(state_, new_plan, {});
    result.is_exact = decided && decides;
    if (!decides) decides = decided;
    if (decided) set_packages_exactly(old_plan, before_.graphs, *decided);
    if (decides && decided) set_packages_exactly(new_plan, after_.graphs, *decides);
    Costs costs = predicted_costs(predictions_, after_.tree.packages, new_plan);
    result.diff = plan_diff({old_plan, before_.graphs}, {new_plan, after_.graphs}, targets_, costs,
                            listing_of(options_));
    return result;
  }

  const Options& options_;
  const StateFolder& state_;
  Side& before_;
  Side& after_;
  const Predictions& predictions_;
  std::vector<std::size_t> targets_;
};

// Faults in the files of a revision are reported with the revision's name, because nobody knows the folder
// that contains them.
std::unique_ptr<Side> opened(const Options& options, const Revision& revision, const fs::path& cache) {
  try {
    return std::make_unique<Side>(options, revision.path(), cache, revision.name());
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
  if (!new_revision) after->sources.leave_out(ignored_by_git(path));
  JournalContents journal = Journal(state.journal()).read();
  Predictions predictions = learned(journal, {});
  DiffReport report{.before = old_revision, .after = new_revision ? &*new_revision : nullptr};
  report.is_measured = !journal.packages.empty();
  report.packages =
      package_changes(before->tree.packages, before->sources, after->tree.packages, after->sources);
  report.environments = Comparison(options, state, predictions, *before, *after).environments();
  for (const Compared& one : report.environments)
    for (const RerunStage& stage : one.diff.stages)
      for (const std::string& added : stage.paths)
        if (auto [found, is_new] = report.files.try_emplace(added); is_new)
          found->second = changed_files(before->sources.below(added), after->sources.below(added), added);
  if (!new_revision) after->sources.save_cache();
  if (options.json)
    fmt::print("{}", diff_json(report));
  else
    show_text(diff_text(report, listing_of(options)));
  return 0;
}

}  // namespace stagemake
