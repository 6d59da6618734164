#include "cli/commands/build_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/process/standard_streams.h"
#include "base/text/text.h"
#include "cli/colors.h"
#include "cli/prediction.h"
#include "cli/run_session.h"
#include "cli/session.h"
#include "report/terminal/colors.h"
#include "run/slots/slot_control.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostCandidates = 10;

// Prints the candidates to start from, best first.
void print_candidates(const EnvironmentBuild& build, const Listing& listing) {
  std::string stage;
  std::size_t shown = 0;
  std::size_t left_out = 0;
  auto tell_left_out = [&] {
    if (left_out > 0) show("    {}\n", listing.more(left_out));
    shown = left_out = 0;
  };
  for (const CandidateExplanation& candidate :
       explain_candidates(build.plan, build.decisions, std::time(nullptr))) {
    if (candidate.stage != stage) {
      tell_left_out();
      stage = candidate.stage;
      show("  {} can start from:\n", stage);
    }
    if (++shown > kMostCandidates && !listing.is_whole) {
      ++left_out;
      continue;
    }
    bool usable = candidate.verdict == "chosen" || candidate.verdict == "slower";
    show("    {} {}\n", candidate.verdict == "chosen" ? '*' : usable ? '-' : 'x', candidate.image);
    show("      {}\n", usable ? candidate.text() : "not used: " + candidate.verdict);
  }
  tell_left_out();
}

void print_explanations(Session& session, bool with_reasons, const Options& options) {
  Listing listing = listing_of(options);
  bool color = has_colors(options);
  for (const std::string& problem : session.problems) show("note: {}\n", problem);
  for (const EnvironmentBuild& build : session.builds) {
    show("{} with {}\n", build.plan.environment.name, session.engine->name());
    std::size_t width = 0;
    for (const PlannedStage& stage : build.plan.stages) width = std::max(width, stage.name.size());
    for (const StageExplanation& stage : session.explain(build, listing)) {
      int paint = stage.action == "build" ? kBold : kDim;
      show_painted(fmt::format("  {:<{}}  {}  {}\n", printable(stage.stage), width,
                               painted(fmt::format("{:<5}", stage.action), paint, color),
                               printable(stage.headline)));
      if (with_reasons)
        for (const std::string& reason : stage.reasons) show("  {:<{}}         {}\n", "", width, reason);
    }
    for (const std::string& note : build.notes) show("note: {}\n", note);
    if (with_reasons) print_candidates(build, listing);
  }
}

void print_prediction(const Prediction& prediction) {
  std::string text = prediction_text(prediction.sums, prediction.seconds);
  if (!text.empty()) show("predicted: {}\n", text);
}

ordered_json prediction_json(const Prediction& prediction) {
  const EstimateSums& sums = prediction.sums;
  return {{"seconds", prediction.seconds},
          {"processor_seconds", sums.processor_seconds},
          {"guessed_seconds", sums.guessed_seconds},
          {"packages", sums.packages},
          {"guessed_packages", sums.guessed},
          {"guessed_stages", sums.guessed_stages},
          {"upper_bound", !sums.is_exact}};
}

ordered_json explanations_json(Session& session, const Prediction& prediction) {
  ordered_json environments = ordered_json::array();
  for (const EnvironmentBuild& build : session.builds)
    environments.push_back({{"name", build.plan.environment.name},
                            {"stages", ordered_json(to_json(session.explain(build, {.is_whole = true})))},
                            {"candidates", ordered_json(to_json(explain_candidates(
                                               build.plan, build.decisions, std::time(nullptr))))},
                            {"notes", build.notes}});
  return {{"schema", 1},
          {"engine", session.engine->name()},
          {"environments", environments},
          {"prediction", prediction_json(prediction)},
          {"problems", session.problems}};
}

std::string dumped(const ordered_json& value) {
  return value.dump(2, ' ', true, ordered_json::error_handler_t::replace);
}

void print_estimate(Session& session, const Options& options) {
  Prediction prediction = predicted(session, options);
  if (options.json) {
    fmt::print("{}\n", dumped(explanations_json(session, prediction)));
    return;
  }
  print_explanations(session, options.verb == Verb::Explain, options);
  print_prediction(prediction);
}

ordered_json result_json(const BuildOutcome& outcome) {
  const BuildResult& result = *outcome.result;
  ordered_json environments = ordered_json::array();
  for (const EnvironmentStatus& environment : result.environments) {
    ordered_json stages = ordered_json::array();
    for (std::size_t i = 0; i < environment.stages.size(); ++i) {
      const StageStatus& stage = environment.stages[i];
      stages.push_back({{"name", environment.stage_names[i]},
                        {"state", word(stage.state)},
                        {"seconds", stage.seconds},
                        {"image", stage.image},
                        {"log", stage.log},
                        {"detail", stage.detail}});
    }
    environments.push_back({{"name", environment.name}, {"stages", stages}});
  }
  return {{"schema", 1},
          {"environments", environments},
          {"out_of_time", result.out_of_time},
          {"pushed", outcome.pushes.pushed},
          {"not_pushed", outcome.pushes.failed}};
}

std::string calls_text(const ContainerEngine& engine) {
  std::vector<std::string> calls;
  for (const auto& [verb, count] : engine.calls()) calls.push_back(fmt::format("{} {}", count, verb));
  return fmt::format("engine calls: {}\n", calls.empty() ? "none" : join(calls, ", "));
}

}  // namespace

int build_command(const Options& options) {
  Session session(options);
  if (options.dry_run) {
    session.look(options);
    print_estimate(session, options);
    return 0;
  }
  StandardStreams streams;
  BuildOutcome outcome = run_session(session, options, streams);
  if (options.json && outcome.result) streams.out.add(dumped(result_json(outcome)) + "\n");
  if (options.count_calls) streams.out.add(calls_text(*session.engine));
  return streams.finish(outcome.exit_status());
}

int jobs_command(const Options& options) {
  std::vector<std::string> asked =
      SlotControl::ask(StateFolder(options.state, tree_path(options)).pools(), options.slots.value());
  if (asked.empty()) {
    say("stagemake: no build of this tree shares job slots now");
    return static_cast<int>(ExitStatus::StageFailed);
  }
  for (const std::string& who : asked)
    show("{}: {} from now on\n", printable(who), counted(*options.slots, "job slot"));
  return 0;
}

int explain_command(const Options& options) {
  Session session(options);
  session.look(options);
  print_estimate(session, options);
  return 0;
}

}  // namespace stagemake
