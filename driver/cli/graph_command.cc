// `stagemake graph`: stages and packages as a drawing.
#include <fmt/format.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/inspection.h"
#include "emit/dot.h"
#include "emit/plan_drawing.h"
#include "emit/svg.h"

namespace stagemake {
namespace {

std::vector<Environment> named_environments(const Inspection& seen, const Options& options) {
  if (options.environments.empty()) return {seen.environment(options)};
  EnvironmentReader reader = environment_reader(
      seen.tree, [&seen] { return git_revision(seen.tree.path); }, MayRun::Nothing);
  return resolve_environments(options, seen.tree, reader);
}

LearnedSeconds learned_seconds(const Inspection& seen, const std::string& environment) {
  return {
      .package = [&seen, environment](PackageId id) -> std::optional<double> {
        PackageTime time = seen.predictions.package(environment, seen.tree.packages[id].name);
        bool is_learned = time.from < PackageTime::From::OtherPackages;
        return is_learned ? std::optional(time.seconds) : std::nullopt;
      },
      .stage = [&seen, environment](
                   const std::string& stage) { return seen.predictions.stage_seconds(environment, stage); }};
}

}  // namespace

int graph_command(const Options& options) {
  Inspection seen(options);
  std::vector<InspectedPlan> plans;
  for (const Environment& environment : named_environments(seen, options))
    plans.push_back(seen.plan_of(environment));
  std::vector<DrawnPlan> drawn;
  for (const InspectedPlan& one : plans)
    drawn.push_back(
        {one.plan, one.graph, seen.tree.packages, learned_seconds(seen, one.plan.environment.name)});
  bool about_packages = !options.stage.empty() || !options.inspection.package.empty();
  if (about_packages && drawn.size() != 1)
    throw bad_input("", fmt::format("packages are drawn of one environment, and these are {}", drawn.size()));
  Drawing drawing =
      !options.stage.empty() ? packages_drawing(drawn.front(), stage_named(seen.tree.table, options.stage))
      : about_packages
          ? package_drawing(drawn.front(), package_named(seen.tree.packages, options.inspection.package))
          : stages_drawing(drawn);
  using Form = Options::Inspection::Form;
  put_out(options, options.inspection.form == Form::Dot   ? as_dot(drawing)
                   : options.inspection.form == Form::Svg ? as_svg(drawing)
                                                          : as_text(drawing));
  return 0;
}

}  // namespace stagemake
