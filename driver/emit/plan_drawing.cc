#include "emit/plan_drawing.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.h"

namespace stagemake {
namespace {

// Durations in sequence.
struct Sum {
  double seconds = 0;
  std::size_t known = 0, all = 0;

  void add(std::optional<double> one) {
    seconds += one.value_or(0);
    known += one ? 1 : 0;
    ++all;
  }
  // " in 2 h 05 min", " in more than …" if some are unknown; empty if all are.
  std::string text() const {
    if (known == 0) return {};
    return fmt::format("{}{}", known < all ? "more than " : "", duration_text(seconds));
  }
};

std::string where(const StagePlan& plan) {
  return plan.environment.name.empty() ? std::string("any system") : printable(plan.environment.name);
}

DrawnNode stage_node(const DrawnPlan& drawn, std::size_t s) {
  const PlannedStage& stage = drawn.plan.stages[s];
  DrawnNode node{.name = stage.name};
  Sum sum;
  for (PackageId id : stage.packages) sum.add(drawn.seconds.package(id));
  if (stage.make_targets.empty()) sum.add(drawn.seconds.stage(stage.name));
  node.weight = sum.seconds;
  std::vector<std::string> parts;
  if (!stage.packages.empty()) parts.push_back(counted(stage.packages.size(), "package"));
  if (!sum.text().empty()) parts.push_back(sum.text());
  node.note = join(parts, ", ");
  if (!stage.make_targets.empty())
    node.note += (parts.empty() ? "makes " : ": ") + join(stage.make_targets, " ");
  node.told = {node.note, "key " + stage.key.substr(0, 16)};
  for (PackageId id : stage.packages) node.told.push_back(drawn.packages[id].name);
  return node;
}

void add_stages(const DrawnPlan& drawn, Drawing& drawing) {
  const StagePlan& plan = drawn.plan;
  std::size_t base = drawing.nodes.size();
  drawing.nodes.push_back({.name = plan.environment.name.empty() ? "the base image" : plan.environment.name,
                           .note = plan.environment.base_image,
                           .is_subject = true});
  std::vector<std::size_t> usual;
  if (std::optional<std::size_t> last = plan.table.find(plan.table.default_stage)) usual = plan.chain(*last);
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    bool is_usual = std::find(usual.begin(), usual.end(), s) != usual.end();
    std::optional<std::size_t> parent = plan.stages[s].parent;
    drawing.nodes.push_back(stage_node(drawn, s));
    if (!is_usual)
      drawing.nodes.back().note += drawing.nodes.back().note.empty() ? "not by default" : " (not by default)";
    drawing.edges.push_back(
        {.from = parent ? base + 1 + *parent : base, .to = base + 1 + s, .is_weak = !is_usual});
  }
}

// The packages `among`, with the critical path stressed.
Drawing drawing_of(const DrawnPlan& drawn, const std::vector<PackageId>& among) {
  Drawing drawing;
  std::vector<std::size_t> at(drawn.packages.size());
  Sum sum;
  for (PackageId id : among) {
    const Package& package = drawn.packages[id];
    std::optional<double> seconds = drawn.seconds.package(id);
    sum.add(seconds);
    at[id] = drawing.nodes.size();
    DrawnNode node{.name = package.name, .weight = seconds.value_or(0)};
    std::vector<std::string> parts;
    if (seconds) parts.push_back(duration_text(*seconds));
    if (package.version != "none") parts.push_back(package.version);
    node.note = join(parts, ", ");
    if (!node.note.empty()) node.told.push_back(node.note);
    drawing.nodes.push_back(std::move(node));
  }
  // Unknown durations count as one second, so that the path with more packages is longer.
  LongestWay way =
      longest_way(drawn.graph, among, [&](PackageId id) { return drawn.seconds.package(id).value_or(1); });
  std::vector<std::string> names;
  for (PackageId id : way.packages) {
    drawing.nodes[at[id]].is_stressed = true;
    names.push_back(drawn.packages[id].name);
  }
  for (const Need& need : reduced_needs(drawn.graph, among)) {
    auto to = std::find(way.packages.begin(), way.packages.end(), need.package);
    bool stressed = to != way.packages.end() && to != way.packages.begin() && *(to - 1) == need.needed;
    drawing.edges.push_back({.from = at[need.needed],
                             .to = at[need.package],
                             .is_weak = need.order_only,
                             .is_stressed = stressed});
  }
  if (!sum.text().empty()) drawing.notes.push_back("one after the other: " + sum.text());
  if (names.size() > 1) {
    Sum longest;
    for (PackageId id : way.packages) longest.add(drawn.seconds.package(id));
    drawing.notes.push_back(fmt::format(
        "critical path{}: {}", longest.known > 0 ? " (*), " + longest.text() : " (*)", join(names, " → ")));
  }
  return drawing;
}

}  // namespace

Drawing stages_drawing(const std::vector<DrawnPlan>& plans) {
  Drawing drawing;
  for (const DrawnPlan& drawn : plans) add_stages(drawn, drawing);
  drawing.title = plans.size() == 1 ? "stages on " + where(plans.front().plan)
                                    : "stages of " + counted(plans.size(), "environment");
  if (std::any_of(plans.begin(), plans.end(), [](const DrawnPlan& drawn) { return !drawn.plan.is_exact(); }))
    drawing.notes.push_back("numbers of packages are upper bounds: configure may find some on the system");
  return drawing;
}

Drawing packages_drawing(const DrawnPlan& drawn, std::size_t stage) {
  const PlannedStage& planned = drawn.plan.stages[stage];
  Drawing drawing = drawing_of(drawn, planned.packages);
  drawing.title =
      fmt::format("{} on {}: {}{}", planned.name, where(drawn.plan),
                  drawn.plan.is_exact() || planned.packages.empty() ? "" : "at most ",
                  planned.packages.empty() ? "no packages" : counted(planned.packages.size(), "package"));
  return drawing;
}

Drawing package_drawing(const DrawnPlan& drawn, PackageId package) {
  std::vector<bool> is_planned(drawn.packages.size());
  for (const PlannedStage& stage : drawn.plan.stages)
    for (PackageId id : stage.packages) is_planned[id] = true;
  std::vector<PackageId> before = needed_before(drawn.graph, package);
  std::vector<PackageId> among = before;
  among.push_back(package);
  std::size_t after = 0;
  for (PackageId user : DependencyUsers(drawn.graph).all(package))
    if (is_planned[user]) among.push_back(user), ++after;
  Drawing drawing = drawing_of(drawn, among);
  drawing.nodes[before.size()].is_subject = true;
  drawing.title = fmt::format("{} on {}: {} before it, {} after it", drawn.packages[package].name,
                              where(drawn.plan), counted(before.size(), "package"), after);
  return drawing;
}

}  // namespace stagemake
