#include "report/events/run_json.h"

#include "report/events/facts_json.h"
#include "report/events/finding_json.h"
#include "report/events/run_figures.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

ordered_json time_json(double time) {
  return time > 0 ? ordered_json(time) : ordered_json();
}

std::string_view word_of(FailureGroup::Kind kind) {
  switch (kind) {
    case FailureGroup::Kind::New:
      return "new";
    case FailureGroup::Kind::Again:
      return "again";
    case FailureGroup::Kind::Expected:
      return "expected";
  }
  return "";
}

ordered_json group_json(const ReportInput& input, const FailureGroup& group, std::string_view kind) {
  ordered_json places = ordered_json::array();
  for (const FailurePlace& place : group.places) {
    const StageRecord* stage = stage_at(input.run, place);
    if (stage == nullptr) continue;
    const LogFinding* finding = finding_at(input.run, place);
    places.push_back({{"environment", input.run.environments[place.environment].name},
                      {"stage", stage->name},
                      {"finding", finding == nullptr ? ordered_json() : finding_json(*finding)},
                      {"log", log_of(*stage, finding)},
                      {"reproduce", reproduce_command(input, place)}});
  }
  return {{"kind", kind},         {"name", group.name}, {"message", group.message},
          {"since", group.since}, {"why", group.why},   {"places", places}};
}

ordered_json totals_json(const ReportInput& input) {
  ordered_json stages = ordered_json::object(), packages = ordered_json::object();
  auto add = [](ordered_json& counts, std::string_view word) {
    ordered_json& count = counts[std::string(word)];
    count = count.is_null() ? 1 : count.get<std::size_t>() + 1;
  };
  for (const EnvironmentRecord& environment : input.run.environments)
    for (const StageRecord& stage : environment.stages) {
      add(stages, word(stage.status.state));
      for (const PackageRecord& package : stage.packages) add(packages, word(package.state));
    }
  return {{"environments", input.verdict.environments},
          {"environments_well", input.verdict.environments_well},
          {"new", count(input.verdict, FailureGroup::Kind::New)},
          {"again", count(input.verdict, FailureGroup::Kind::Again)},
          {"expected", count(input.verdict, FailureGroup::Kind::Expected)},
          {"test_failures", input.verdict.test_failures.size()},
          {"stages", stages},
          {"packages", packages}};
}

ordered_json stage_json(const StageRecord& stage) {
  ordered_json findings = ordered_json::array(), packages = ordered_json::array();
  for (const LogFinding& finding : stage.status.findings) findings.push_back(finding_json(finding));
  for (const PackageRecord& package : stage.packages)
    packages.push_back({{"name", package.name},
                        {"state", word(package.state)},
                        {"began", time_json(package.began)},
                        {"ended", time_json(package.ended)}});
  return {{"name", stage.name},
          {"state", word(stage.status.state)},
          {"began", time_json(stage.began)},
          {"ended", time_json(stage.ended)},
          {"seconds", stage.status.seconds},
          {"memory", stage.status.memory},
          {"host", stage.status.host},
          {"expected_seconds", stage.expected.seconds},
          {"expected_packages", stage.expected.packages},
          {"reasons", stage.expected.reasons},
          {"detail", stage.status.detail},
          {"image", stage.status.image},
          {"log", stage.status.log},
          {"findings", findings},
          {"packages", packages}};
}

}  // namespace

ordered_json run_json(const ReportInput& input) {
  const RunRecord& run = input.run;
  ordered_json failures = ordered_json::array(), tests = ordered_json::array(), well = ordered_json::array();
  for (const FailureGroup& group : input.verdict.groups)
    failures.push_back(group_json(input, group, word_of(group.kind)));
  for (const FailureGroup& group : input.verdict.test_failures)
    tests.push_back(group_json(input, group, "tests"));
  for (const ExpectedFailure& one : input.verdict.unexpectedly_well)
    well.push_back(
        {{"name", one.name}, {"environments", one.environments}, {"why", one.why}, {"line", one.line}});
  ordered_json environments = ordered_json::array(), notes = ordered_json::array();
  for (const EnvironmentRecord& environment : run.environments) {
    ordered_json stages = ordered_json::array();
    for (const StageRecord& stage : environment.stages) stages.push_back(stage_json(stage));
    environments.push_back({{"name", environment.name}, {"stages", stages}});
  }
  for (const RunRecord::Note& note : run.notes)
    notes.push_back({{"time", time_json(note.time)}, {"text", note.text}});
  return {{"schema", 1},
          {"result", result_line(input)},
          {"finished", run.ended > 0},
          {"began", time_json(run.began)},
          {"ended", time_json(run.ended)},
          {"last_event", time_json(run.last_event)},
          {"seconds", sane_seconds(run.seconds())},
          {"pushing_seconds", sane_seconds(run.pushing)},
          {"expected_seconds", sane_seconds(run.expected_seconds)},
          {"exit_status", run.exit_status ? ordered_json(*run.exit_status) : ordered_json()},
          {"facts", facts_json(run.facts)},
          {"totals", totals_json(input)},
          {"failures", failures},
          {"test_failures", tests},
          {"unexpectedly_well", well},
          {"environments", environments},
          {"notes", notes}};
}

}  // namespace stagemake
