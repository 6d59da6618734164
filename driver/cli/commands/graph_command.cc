#include "cli/commands/graph_command.h"

// `stagemake graph`: stages and packages as a drawing.
#include <fmt/format.h>

#include "base/error.h"
#include "base/files/files.h"
#include "base/process/standard_streams.h"
#include "base/process/subprocess.h"
#include "base/text/text.h"
#include "cli/inspection.h"
#include "emit/dot.h"
#include "emit/plan_drawing.h"

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

// Graphviz makes the picture. Without it, its input is written, which can be drawn elsewhere.
std::string as_svg(const Drawing& drawing) {
  std::string dot = as_dot(drawing);
  if (find_program("dot").empty()) {
    say("stagemake: note: Graphviz is not installed (apt-get install graphviz), so the output is the input "
        "of "
        "its dot, not a picture");
    return dot;
  }
  TemporaryFolder folder(fs::temp_directory_path());
  fs::path input = folder.path() / "drawing.dot";
  write_file(input, dot);
  Finished drawn = run_command({.argv = {"dot", "-Tsvg", input.string()}});
  if (!drawn.ok())
    throw engine_unusable(fmt::format("dot cannot draw this (use --dot to see its input): {}",
                                      printable(trimmed(drawn.errors))));
  return drawn.output;
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
        {one.plan, *one.graph, seen.tree.packages, learned_seconds(seen, one.plan.environment.name)});
  bool about_packages = !options.stage.empty() || !options.inspection.package.empty();
  if (about_packages && drawn.size() != 1)
    throw bad_input("",
                    fmt::format("packages are drawn for exactly one environment, not for {}", drawn.size()));
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
