#include "report/events/event_log.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "report/events/facts_json.h"
#include "report/events/finding_json.h"

namespace stagemake {
namespace {

using nlohmann::ordered_json;

std::string line_of(const ordered_json& event) {
  return event.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json findings_json(const std::vector<LogFinding>& findings) {
  ordered_json all = ordered_json::array();
  for (const LogFinding& one : findings) all.push_back(finding_json(one));
  return all;
}

ordered_json begin_json(const EnvironmentStatus& environment) {
  ordered_json stages = ordered_json::array();
  for (std::size_t s = 0; s < environment.stages.size(); ++s) {
    StageExpectation expected =
        s < environment.expected.size() ? environment.expected[s] : StageExpectation();
    stages.push_back({{"name", environment.stage_names[s]},
                      {"state", word(environment.stages[s].state)},
                      {"image", environment.stages[s].image},
                      {"expected_seconds", expected.seconds},
                      {"expected_work", expected.work},
                      {"packages", expected.packages},
                      {"reasons", expected.reasons}});
  }
  return {{"name", environment.name}, {"stages", stages}};
}

}  // namespace

void EventLog::add_file(const fs::path& file) {
  std::lock_guard lock(mutex_);
  files_.push_back(std::make_unique<LineFile>(file));
}

void EventLog::add(const std::string& line) {
  std::lock_guard lock(mutex_);
  if (!has_facts_) early_.push_back(line);
  for (const std::unique_ptr<LineFile>& file : files_)
    if (has_facts_) file->add(line);
}

void EventLog::facts(const RunFacts& facts) {
  {
    std::lock_guard lock(mutex_);
    has_facts_ = true;
  }
  ordered_json event{{"event", word(EventKind::Run)}, {"schema", kEventSchema}, {"time", now_()}};
  event.update(facts_json(facts));
  add(line_of(event));
  for (const std::string& line : std::exchange(early_, {})) add(line);
}

void EventLog::begins(const std::vector<EnvironmentStatus>& all) {
  ordered_json environments = ordered_json::array();
  for (const EnvironmentStatus& environment : all) environments.push_back(begin_json(environment));
  {
    std::lock_guard lock(mutex_);
    for (const EnvironmentStatus& environment : all)
      names_.push_back({environment.name, environment.stage_names});
  }
  add(line_of({{"event", word(EventKind::Begin)}, {"time", now_()}, {"environments", environments}}));
}

void EventLog::changed(const std::vector<EnvironmentStatus>& all, StageAddress at) {
  const StageStatus& status = all[at.environment].stages[at.stage];
  ordered_json event = {{"event", word(EventKind::Stage)},
                        {"time", now_()},
                        {"environment", all[at.environment].name},
                        {"stage", all[at.environment].stage_names[at.stage]},
                        {"state", word(status.state)},
                        {"seconds", status.seconds},
                        {"detail", status.detail},
                        {"image", status.image},
                        {"log", status.log}};
  if (status.memory > 0) event["memory"] = status.memory;
  if (!status.host.empty()) event["host"] = status.host;
  if (!status.findings.empty()) event["findings"] = findings_json(status.findings);
  add(line_of(event));
}

void EventLog::expected(StageAddress at, const StageExpectation& expectation) {
  ordered_json event = {{"event", word(EventKind::Expected)},
                        {"time", now_()},
                        {"environment", names_[at.environment].environment},
                        {"stage", names_[at.environment].stages[at.stage]},
                        {"seconds", expectation.seconds},
                        {"work", expectation.work},
                        {"packages", expectation.packages}};
  ordered_json makes = ordered_json::array();
  for (const ExpectedPackage& one : expectation.makes)
    makes.push_back({{"package", one.name}, {"seconds", one.seconds}, {"needs", one.needs}});
  if (!makes.empty()) event["makes"] = std::move(makes);
  add(line_of(event));
}

void EventLog::package(StageAddress at, const PackageStatus& package) {
  add(line_of({{"event", word(EventKind::Package)},
               {"time", now_()},
               {"environment", names_[at.environment].environment},
               {"stage", names_[at.environment].stages[at.stage]},
               {"package", package.name},
               {"state", word(package.state)}}));
}

void EventLog::sampled(const MachineSample& sample) {
  ordered_json stages = ordered_json::array();
  for (const MachineSample::StageUse& one : sample.stages)
    stages.push_back({{"environment", names_[one.at.environment].environment},
                      {"stage", names_[one.at.environment].stages[one.at.stage]},
                      {"slots", one.slots},
                      {"memory", one.memory}});
  add(line_of({{"event", word(EventKind::Machine)},
               {"time", now_()},
               {"busy", sample.busy},
               {"memory", sample.memory},
               {"slots", sample.slots},
               {"slots_used", sample.slots_used},
               {"free", sample.free},
               {"stages", stages}}));
}

void EventLog::expects(const std::string& text, double seconds) {
  add(line_of({{"event", word(EventKind::Outlook)}, {"time", now_()}, {"text", text}, {"seconds", seconds}}));
}

void EventLog::note(const std::string& text) {
  add(line_of({{"event", word(EventKind::Note)}, {"time", now_()}, {"text", text}}));
}

void EventLog::ends(const std::vector<EnvironmentStatus>&, const RunSeconds& seconds) {
  add(line_of({{"event", word(EventKind::End)},
               {"time", now_()},
               {"seconds", seconds.all},
               {"pushing", seconds.pushing}}));
}

void EventLog::exits(int status) {
  add(line_of({{"event", word(EventKind::Exit)}, {"time", now_()}, {"status", status}}));
}

std::vector<std::string> EventLog::problems() const {
  std::vector<std::string> all;
  std::lock_guard lock(mutex_);
  for (const std::unique_ptr<LineFile>& file : files_)
    if (std::string problem = file->problem(); !problem.empty()) all.push_back(problem);
  return all;
}

}  // namespace stagemake
