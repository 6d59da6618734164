#include "cli/commands/why_command.h"

// `stagemake why`: one package, and everything known about why it is built.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "base/text/wrap.h"
#include "cli/inspection.h"
#include "plan/package_story.h"
#include "run/state/package_history.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostEnvironments = 12;  // unless the list is whole

struct Told {
  PackageStory story;
  std::vector<PackageTimes> times;
  std::optional<LastBuild> last;
};

class Report {
 public:
  Report(const Inspection& seen, const InspectedPlan& inspected, const Told& told, std::int64_t now,
         const Listing& listing)
      : packages_(seen.tree.packages),
        predictions_(seen.predictions),
        plan_(inspected.plan),
        told_(told),
        now_(now),
        listing_(listing) {}

  std::string text() const {
    return head() + stage_lines() + users_lines() + needs_lines() + times_lines() + last_lines();
  }
  ordered_json json() const;

 private:
  // The title in front of the first line of a section.
  static std::string titled(std::string_view title) { return fmt::format("{:<13}", title); }

  std::vector<std::string> names(const std::vector<PackageId>& ids) const {
    std::vector<std::string> all;
    for (PackageId id : ids) all.push_back(packages_[id].name);
    return all;
  }
  std::string listed(std::string_view title, std::string_view what, const std::vector<PackageId>& ids) const {
    if (ids.empty()) return {};
    std::vector<std::string> all = names(ids);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) all[i] += ',';
    std::vector<std::string> line;
    for (std::string_view word : words(what)) line.emplace_back(word);
    line.insert(line.end(), all.begin(), all.end());
    return wrapped(titled(title), line);
  }
  std::string chain_text(const TargetChain& chain) const {
    std::vector<std::string> parts{printable(chain.target)};
    for (PackageId id : chain.packages) parts.push_back("→ " + packages_[id].name);
    return join(parts, " ");
  }

  std::string head() const {
    const Package& package = packages_[told_.story.package];
    constexpr const char* kSources[] = {"built from source", "a wheel", "fetched by pip",
                                        "made by its own script", "without a source"};
    std::string text = fmt::format(
        "{}{}: {}, {}{}\n", package.name, package.version == "none" ? "" : " " + printable(package.version),
        name(package.type), kSources[static_cast<int>(package.source)],
        package.trees.empty() ? "" : ", goes to " + printable(join(package.trees, ", ")));
    if (plan_.environment.name.empty()) return text + "on any system (--env selects one)\n\n";
    return text + fmt::format("in {}{}\n\n", plan_.environment.name,
                              plan_.is_exact() ? "" : ", as far as known before configure has run");
  }

  std::string stage_lines() const {
    const PackageStory& story = told_.story;
    if (!story.stage) {
      std::vector<std::string> line;
      std::string text = "by no stage: " + story.why_not;
      for (std::string_view word : words(text)) line.emplace_back(word);
      return wrapped(titled("built"), line);
    }
    const PlannedStage& stage = plan_.stages[*story.stage];
    std::string text =
        titled("built by") + fmt::format("{}, in make's order package {} of {}{}\n", stage.name, story.place,
                                         story.of, story.by_default ? "" : "; not by default (--to)");
    for (std::size_t i = 0; i < story.chains.size(); ++i) {
      const TargetChain& chain = story.chains[i];
      std::string line = chain.packages.size() == 1 ? printable(chain.target) + " itself" : chain_text(chain);
      std::vector<std::string> parts;
      for (std::string_view word : words(std::string_view(line))) parts.emplace_back(word);
      text += wrapped(titled(i == 0 ? "requested by" : ""), parts);
    }
    return text;
  }

  std::string users_lines() const {
    const PackageStory& story = told_.story;
    std::string text = listed("needed by", "", story.users.planned);
    auto title = [&] { return text.empty() ? "needed by" : ""; };
    text += listed(title(), "only installed before:", story.order_only_users.planned);
    text += listed(title(), "only for tests of:", story.test_users.planned);
    std::vector<PackageId> others = story.users.others;
    others.insert(others.end(), story.order_only_users.others.begin(), story.order_only_users.others.end());
    std::sort(others.begin(), others.end());
    text += listed(title(), "not built here:", others);
    if (text.empty()) return titled("needed by") + "no other package\n";
    std::size_t direct = story.users.planned.size() + story.order_only_users.planned.size();
    if (story.all_planned_users > direct)
      text += titled("") + "directly or indirectly: " + counted(story.all_planned_users, "package") + "\n";
    return text;
  }

  std::string needs_lines() const {
    const PackageStory& story = told_.story;
    std::string text = listed("needs", "", story.needs);
    auto title = [&] { return text.empty() ? "needs" : ""; };
    text += listed(title(), "only installed before:", story.order_only_needs);
    text += listed(title(), "for its tests:", story.test_needs);
    text += listed(title(), "provided by the system:", story.taken);
    if (story.before.empty()) return text + titled(title()) + "nothing\n";
    bool is_learned = std::any_of(story.way.packages.begin(), story.way.packages.end(), [&](PackageId id) {
      return predictions_.package(plan_.environment.name, packages_[id].name).from <
             PackageTime::From::OtherPackages;
    });
    text += titled("") + fmt::format("in all, {} before it\n",
                                     counted(story.before.size(), "package comes", "packages come"));
    std::vector<std::string> way{"critical", "path:"};
    if (is_learned) way = {"critical", "path,", duration_text(story.way.seconds), "with", "itself:"};
    for (PackageId id : story.way.packages) {
      if (id != story.way.packages.front()) way.emplace_back("→");
      way.push_back(packages_[id].name);
    }
    return text + wrapped(titled(""), way);
  }

  std::string times_lines() const {
    if (told_.times.empty()) {
      PackageTime guess = predictions_.package(plan_.environment.name, packages_[told_.story.package].name);
      return titled("takes") +
             fmt::format("not known: never built here; assumed to take {}\n", duration_text(guess.seconds));
    }
    std::string text;
    std::size_t width = 0, shown = listing_.shown(told_.times.size(), kMostEnvironments);
    for (std::size_t i = 0; i < shown; ++i)
      width = std::max(width, columns(printable(told_.times[i].environment)));
    for (std::size_t i = 0; i < shown; ++i) {
      const PackageTimes& one = told_.times[i];
      text += titled(i == 0 ? "takes" : "") +
              fmt::format(
                  "{:<{}}  {:>12}, {} {} ago\n", printable(one.environment), width, duration_text(one.median),
                  one.builds == 1 ? "built once,"
                                  : fmt::format("median of {},", std::min<std::size_t>(one.builds, 5)),
                  age(one.when));
    }
    if (told_.times.size() > shown)
      text += titled("") + fmt::format("{}\n", listing_.more(told_.times.size() - shown));
    return text;
  }

  std::string last_lines() const {
    std::string title = titled("last built");
    if (!told_.last)
      return told_.times.empty() ? "" : title + "never in this environment, according to the journal\n";
    const LastBuild& last = *told_.last;
    std::string text = title + fmt::format("{} ago, {} in {}\n", age(last.built.when),
                                           printable(last.built.version), duration_text(last.built.seconds));
    if (!last.stage.empty())
      text +=
          titled("") + fmt::format("by {}{}{}\n", printable(last.stage),
                                   last.with_it == 0
                                       ? ", nothing else with it"
                                       : ", with " + counted(last.with_it, "other package", "other packages"),
                                   last.outcome == StageOutcome::Built ? "" : "; the stage did not succeed");
    if (!last.before)
      return text + titled("") + "because it had never been built, according to the journal\n";
    if (last.reasons.empty()) return text + titled("") + "the journal does not record why\n";
    for (std::size_t i = 0; i < last.reasons.size(); ++i) {
      std::vector<std::string> line{i == 0 ? "because" : "and"};
      for (std::string_view word : words(std::string_view(last.reasons[i]))) line.emplace_back(word);
      text += wrapped(titled(""), line);
    }
    return text;
  }

  std::string age(std::int64_t when) const {
    constexpr std::int64_t kDay = 86'400;
    std::int64_t seconds = std::max<std::int64_t>(0, now_ - when);
    return seconds < 2 * kDay ? duration_text(static_cast<double>(seconds))
                              : counted(static_cast<std::size_t>(seconds / kDay), "day");
  }

  const PackageIndex& packages_;
  const Predictions& predictions_;
  const StagePlan& plan_;
  const Told& told_;
  std::int64_t now_;
  const Listing listing_;
};

ordered_json Report::json() const {
  const PackageStory& story = told_.story;
  const Package& package = packages_[story.package];
  ordered_json chains = ordered_json::array(), times = ordered_json::array();
  for (const TargetChain& chain : story.chains)
    chains.push_back({{"stage", chain.stage}, {"target", chain.target}, {"packages", names(chain.packages)}});
  for (const PackageTimes& one : told_.times)
    times.push_back({{"environment", one.environment},
                     {"builds", one.builds},
                     {"median_seconds", one.median},
                     {"last_seconds", one.last},
                     {"when", one.when},
                     {"version", one.version}});
  auto users = [&](const PackageUsers& all) {
    return ordered_json{{"built", names(all.planned)}, {"not_built", names(all.others)}};
  };
  ordered_json last;
  if (told_.last) {
    last = {
        {"when", told_.last->built.when},
        {"seconds", told_.last->built.seconds},
        {"version", told_.last->built.version},
        {"version_before", told_.last->before ? ordered_json(told_.last->before->version) : ordered_json()},
        {"stage", told_.last->stage},
        {"other_packages", told_.last->with_it},
        {"reasons", told_.last->reasons}};
  }
  const std::string& environment = plan_.environment.name;
  return {{"schema", 1},
          {"package", package.name},
          {"version", package.version},
          {"type", name(package.type)},
          {"source", name(package.source)},
          {"trees", package.trees},
          {"environment", environment.empty() ? ordered_json() : ordered_json(environment)},
          {"upper_bound", !plan_.is_exact()},
          {"stage", story.stage ? ordered_json(plan_.stages[*story.stage].name) : ordered_json()},
          {"by_default", story.by_default},
          {"why_not", story.why_not},
          {"asked_for_by", chains},
          {"needed_by",
           {{"direct", users(story.users)},
            {"order_only", users(story.order_only_users)},
            {"for_tests", users(story.test_users)},
            {"all_built", story.all_planned_users}}},
          {"needs",
           {{"direct", names(story.needs)},
            {"order_only", names(story.order_only_needs)},
            {"for_tests", names(story.test_needs)},
            {"from_system", names(story.taken)},
            {"all", names(story.before)}}},
          {"longest_way", {{"packages", names(story.way.packages)}, {"seconds", story.way.seconds}}},
          {"times", times},
          {"last_build", last}};
}

// The environment in which the package was last built; else the last one in which anything was.
std::vector<std::string> usual_environment(const Inspection& seen, const std::string& package) {
  const std::vector<PackageBuilt>& built = seen.journal.packages;
  auto found =
      std::find_if(built.rbegin(), built.rend(), [&](const auto& one) { return one.package == package; });
  if (found != built.rend()) return {found->environment};
  if (!seen.journal.stages.empty()) return {seen.journal.stages.back().environment};
  return {};
}

// The journal may contain environments that the tree no longer knows.
Environment chosen_environment(const Inspection& seen, const Options& options) {
  if (!options.environments.empty()) return seen.environment(options);
  Options asked = options;
  asked.environments = usual_environment(seen, options.inspection.package);
  try {
    return seen.environment(asked);
  } catch (const Error&) {
    return seen.environment(options);
  }
}

}  // namespace

int why_command(const Options& options) {
  Inspection seen(options);
  PackageId package = package_named(seen.tree.packages, options.inspection.package);
  InspectedPlan inspected = seen.plan_of(chosen_environment(seen, options));
  const std::string& environment = inspected.plan.environment.name;
  auto seconds = [&](PackageId id) {
    return seen.predictions.package(environment, seen.tree.packages[id].name).seconds;
  };
  Told told;
  told.story =
      story_of(inspected.plan, seen.tree.packages, seen.tree.variables, *inspected.graph, package, seconds);
  told.times = times_of_package(seen.journal, options.inspection.package);
  std::vector<std::string> needs;
  for (PackageId id : told.story.needs) needs.push_back(seen.tree.packages[id].name);
  told.last = last_build(seen.journal, environment, options.inspection.package, needs, listing_of(options));
  Report report(seen, inspected, told, std::time(nullptr), listing_of(options));
  if (options.json)
    fmt::print("{}\n", report.json().dump(2, ' ', true, ordered_json::error_handler_t::replace));
  else
    show_text(report.text());
  return 0;
}

}  // namespace stagemake
