#include "cli/commands/diff_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text/text.h"
#include "base/text/wrap.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostNamed = 4;      // environments named per group, unless the list is whole
constexpr std::size_t kMostPackages = 20;  // per list, in text
constexpr std::size_t kFewFiles = 3;       // named files below a path
constexpr std::size_t kManyMoves = 4;      // packages with the same change of version that are reported
                                           // together

// Environments with the same result.
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

void add_wrapped(std::string& out, std::string_view first, const std::string& text) {
  std::vector<std::string> parts;
  for (std::string_view word : words(text)) parts.emplace_back(word);
  out += wrapped(first, parts);
}

// One paragraph per kind of change; if many packages change from one version to another, as in a release,
// they are reported together.
void add_changes(std::string& out, const std::string& head, const std::vector<const PackageChange*>& changes,
                 const Listing& listing) {
  if (changes.empty()) return;
  out += head + ":\n";
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> moves;
  std::vector<std::string> versions, added, gone, files;
  for (const PackageChange* change : changes)
    if (change->kind == PackageChange::Kind::Version)
      moves[{change->before, change->after}].push_back(change->name);
  for (const PackageChange* change : changes) {
    if (change->kind == PackageChange::Kind::New)
      added.push_back(change->name + " " + printable(change->after));
    if (change->kind == PackageChange::Kind::Gone)
      gone.push_back(change->name + " " + printable(change->before));
    if (change->kind == PackageChange::Kind::Files) files.push_back(change->text(listing));
    if (change->kind == PackageChange::Kind::Version &&
        moves[{change->before, change->after}].size() < kManyMoves)
      versions.push_back(change->text());
  }
  for (const auto& [versions_moved, names] : moves)
    if (names.size() >= kManyMoves)
      add_wrapped(
          out, "  ",
          fmt::format("{} -> {}: {}, {}", printable(versions_moved.first), printable(versions_moved.second),
                      counted(names.size(), "package"), some_of(names, listing, kMostPackages)));
  if (!versions.empty()) add_wrapped(out, "  ", some_of(versions, listing, kMostPackages));
  if (!added.empty()) add_wrapped(out, "  ", "new: " + some_of(added, listing, kMostPackages));
  if (!gone.empty()) add_wrapped(out, "  ", "removed: " + some_of(gone, listing, kMostPackages));
  if (!files.empty())
    add_wrapped(out, "  ", "same version, other files: " + some_of(files, listing, kMostPackages));
}

// Packages that are rebuilt without a change of their own, in any of the environments.
std::vector<std::string> built_because(const std::vector<PackageChange>& changes,
                                       const std::vector<Compared>& environments) {
  std::set<std::string> built;
  for (const Compared& one : environments)
    if (!one.diff.is_whole) built.insert(one.diff.packages.begin(), one.diff.packages.end());
  for (const PackageChange& change : changes)
    if (change.kind != PackageChange::Kind::Beside) built.erase(change.name);
  return {built.begin(), built.end()};
}

void add_packages(std::string& out, const std::vector<PackageChange>& changes,
                  const std::vector<Compared>& environments, const Listing& listing) {
  std::set<std::string> built;
  for (const Compared& one : environments) {
    built.insert(one.diff.packages.begin(), one.diff.packages.end());
    built.insert(one.diff.removed.begin(), one.diff.removed.end());
  }
  std::vector<const PackageChange*> used, elsewhere;
  std::vector<std::string> beside;
  for (const PackageChange& change : changes)
    if (change.kind == PackageChange::Kind::Beside)
      beside.push_back(change.name);
    else
      (built.contains(change.name) ? used : elsewhere).push_back(&change);
  if (used.empty() && elsewhere.empty())
    out += fmt::format("no package changes in what a build depends on\n");
  add_changes(out, counted(used.size(), "package changes", "packages change"), used, listing);
  add_changes(
      out,
      counted(elsewhere.size(), "package changes", "packages change") + " that no environment here builds",
      elsewhere, listing);
  if (std::vector<std::string> because = built_because(changes, environments); !because.empty())
    add_wrapped(
        out, "",
        fmt::format("{} more {} built again because of what {}: {}", because.size(),
                    because.size() == 1 ? "is" : "are", because.size() == 1 ? "it needs" : "they need",
                    some_of(because, listing, kMostPackages)));
  if (!beside.empty())
    add_wrapped(out, "", "changed files that no build uses: " + some_of(beside, listing, kMostPackages));
}

std::string seconds_text(const Group& group) {
  double least = group.diff().seconds, most = least;
  for (const Compared* one : group.members) {
    least = std::min(least, one->diff.seconds);
    most = std::max(most, one->diff.seconds);
  }
  std::string low = duration_text(least), high = duration_text(most);
  if (group.members.size() == 1) return "about " + low;
  return low == high ? fmt::format("about {} each", low) : fmt::format("about {} to {} each", low, high);
}

// The stages that run again, with the specific reasons of these environments.
std::string stages_text(const PlanDiff& diff) {
  std::vector<std::string> parts;
  for (const RerunStage& stage : diff.stages)
    parts.push_back(stage.reasons.empty() ? stage.name
                                          : fmt::format("{} ({})", stage.name, join(stage.reasons, "; ")));
  return join(parts, ", ");
}

// Changed files are the same in all environments, so they are reported once, by the stages that add them.
void add_files(std::string& out, const DiffReport& report, const Listing& listing) {
  std::map<std::string, std::set<std::string>> paths;  // by stage
  std::vector<std::string> stages;
  for (const Compared& one : report.environments)
    for (const RerunStage& stage : one.diff.stages) {
      if (stage.paths.empty()) continue;
      if (!paths.contains(stage.name)) stages.push_back(stage.name);
      paths[stage.name].insert(stage.paths.begin(), stage.paths.end());
    }
  if (stages.empty()) return;
  out += "\nchanged files, by the stage that adds them:\n";
  for (const std::string& stage : stages) {
    std::vector<std::string> parts;
    for (const std::string& path : paths[stage]) {
      const std::vector<std::string>& files = report.files.at(path);
      bool are_few = listing.is_whole || files.size() <= kFewFiles;
      for (const std::string& file : files)
        if (are_few) parts.push_back(printable(file));
      if (!are_few) parts.push_back(fmt::format("{} ({})", printable(path), counted(files.size(), "file")));
    }
    add_wrapped(out, "  ", stage + ": " + join(parts, ", "));
  }
}

// The packages that this group rebuilds, of all that are rebuilt anywhere; empty if it rebuilds all of them.
std::string packages_text(const std::vector<std::string>& here, const std::vector<std::string>& anywhere,
                          const Listing& listing) {
  if (here.size() == anywhere.size()) return {};
  std::vector<std::string> others;
  std::set_difference(anywhere.begin(), anywhere.end(), here.begin(), here.end(), std::back_inserter(others));
  return others.size() < here.size() ? "all of these but " + some_of(others, listing, kMostPackages)
                                     : some_of(here, listing, kMostPackages);
}

void add_group(std::string& out, const Group& group, const std::vector<std::string>& anywhere, std::size_t of,
               const Listing& listing) {
  std::vector<std::string> names;
  for (const Compared* one : group.members) names.push_back(one->name);
  std::string head = counted(names.size(), "environment");
  if (names.size() == of && of > 1)
    out += fmt::format("all {}:\n", head);
  else
    add_wrapped(out, "", head + ": " + some_of(names, listing, kMostNamed));
  const PlanDiff& diff = group.diff();
  if (diff.is_empty()) {
    out += "  nothing is built again\n";
    return;
  }
  std::string what = diff.packages.empty() ? "no package is built again"
                                           : counted(diff.packages.size(), "package") + " built again";
  if (diff.is_whole) what = counted(diff.packages.size(), "package") + ", all of them";
  add_wrapped(out, "  ", fmt::format("{}, {}", what, seconds_text(group)));
  if (diff.is_whole)
    add_wrapped(out, "  ",
                fmt::format("starts {}: no image with packages can be continued",
                            diff.begins_in.empty() ? "from the base image" : "after " + diff.begins_in));
  else if (std::string which = packages_text(diff.packages, anywhere, listing); !which.empty())
    add_wrapped(out, "  ", which);
  add_wrapped(out, "  ", "runs again: " + stages_text(diff));
  if (!diff.removed.empty())
    add_wrapped(out, "  ", "uninstalled: " + some_of(diff.removed, listing, kMostPackages));
}

void add_sums(std::string& out, const std::vector<Compared>& environments, bool is_learned,
              const Listing& listing) {
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
  if (!added.empty() || !gone.empty()) out += "\n";
  if (!added.empty())
    add_wrapped(out, "",
                fmt::format("{} new, not counted: {}", added.size(), some_of(added, listing, kMostNamed)));
  if (!gone.empty())
    add_wrapped(out, "", fmt::format("{} removed: {}", gone.size(), some_of(gone, listing, kMostNamed)));
  if (touched == 0) return;
  out += "\n";
  add_wrapped(
      out, "",
      fmt::format(
          "in all {} of {}, {} one after the other{}{}", touched,
          counted(environments.size() - gone.size() - added.size(), "environment"), duration_text(seconds),
          is_exact ? "" : ", at most: configure may find some packages on the system",
          is_learned ? "" : "; no durations were measured here yet: assuming a minute for each package"));
}

ordered_json environment_json(const Compared& one) {
  ordered_json stages = ordered_json::array();
  for (const RerunStage& stage : one.diff.stages)
    stages.push_back({{"name", stage.name}, {"paths", stage.paths}, {"reasons", stage.reasons}});
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

}  // namespace

std::string diff_text(const DiffReport& report, const Listing& listing) {
  std::string out;
  add_packages(out, report.packages, report.environments, listing);
  std::set<std::string> built;
  std::size_t compared = 0;
  for (const Compared& one : report.environments) {
    if (!one.diff.is_whole) built.insert(one.diff.packages.begin(), one.diff.packages.end());
    compared += one.was && one.is ? 1 : 0;
  }
  std::vector<std::string> anywhere(built.begin(), built.end());
  add_files(out, report, listing);
  for (const Group& group : groups_of(report.environments)) {
    out += "\n";
    add_group(out, group, anywhere, compared, listing);
  }
  add_sums(out, report.environments, report.is_measured, listing);
  return out;
}

std::string diff_json(const DiffReport& report) {
  constexpr const char* kKinds[] = {"new", "removed", "version", "files", "beside"};
  ordered_json packages = ordered_json::array(), environments = ordered_json::array();
  double seconds = 0;
  auto version = [](const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); };
  for (const PackageChange& change : report.packages)
    packages.push_back({{"name", change.name},
                        {"change", kKinds[static_cast<int>(change.kind)]},
                        {"before", version(change.before)},
                        {"after", version(change.after)},
                        {"files", change.files}});
  for (const Compared& one : report.environments) {
    environments.push_back(environment_json(one));
    seconds += one.diff.seconds;
  }
  auto revision = [](const Revision* one) {
    return one == nullptr ? ordered_json()
                          : ordered_json({{"revision", one->name()}, {"commit", one->commit()}});
  };
  ordered_json all = {{"schema", 1},
                      {"before", revision(&report.before)},
                      {"after", revision(report.after)},
                      {"packages", packages},
                      {"files", report.files},
                      {"environments", environments},
                      {"measured", report.is_measured},
                      {"seconds", seconds}};
  return all.dump(2, ' ', true, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace stagemake
