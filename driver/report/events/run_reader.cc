#include "report/events/run_reader.h"

#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text/json_text.h"
#include "base/text/text.h"
#include "report/events/event_log.h"

namespace stagemake {
namespace {

using nlohmann::json;

constexpr std::size_t kRunLimit = 512u << 20;     // bytes of an event file
constexpr std::size_t kLongestEvent = 32u << 20;  // bytes in a line; thousands of stages take 2 MB

// The value of a field if it has that type.
template <class Value>
Value field(const json& event, const char* name, Value otherwise) {
  auto found = event.find(name);
  if (found == event.end()) return otherwise;
  try {
    return found->get<Value>();
  } catch (const json::exception&) {
    return otherwise;
  }
}

std::string text(const json& event, const char* name) {
  return field<std::string>(event, name, {});
}

double number(const json& event, const char* name) {
  return field<double>(event, name, 0);
}

std::size_t count(const json& event, const char* name) {
  double value = number(event, name);
  return value > 0 && value < 1e15 ? static_cast<std::size_t>(value) : 0;
}

const json& list(const json& event, const char* name) {
  static const json kNone = json::array();
  auto found = event.find(name);
  return found != event.end() && found->is_array() ? *found : kNone;
}

std::vector<LogFinding> findings_of(const json& event) {
  std::vector<LogFinding> findings;
  for (const json& one : list(event, "findings"))
    findings.push_back({.kind = text(one, "kind") == "test failure" ? LogFinding::Kind::TestFailure
                                                                    : LogFinding::Kind::Error,
                        .package = text(one, "package"),
                        .version = text(one, "version"),
                        .message = text(one, "message"),
                        .file = text(one, "file"),
                        .line = count(one, "line"),
                        .excerpt = field<std::vector<std::string>>(one, "excerpt", {})});
  return findings;
}

class RunReader {
 public:
  std::optional<RunRecord> read(std::string_view all) {
    for (std::string_view line : lines(all)) {
      std::optional<json> event = json_in(line, kLongestEvent);
      if (event && event->is_object()) take(*event);
    }
    if (!is_run_ || !run_.has_begun()) return std::nullopt;
    return std::move(run_);
  }

 private:
  void take(const json& event) {
    std::optional<EventKind> kind = event_kind(text(event, "event"));
    double time = number(event, "time");
    if (kind == EventKind::Run) is_run_ = field<int>(event, "schema", 0) == kEventSchema, take_facts(event);
    if (!is_run_) return;
    if (kind == EventKind::Begin) take_begin(time, event);
    if (kind == EventKind::Outlook) run_.expect(number(event, "seconds"));
    if (kind == EventKind::Note) run_.note(time, text(event, "text"));
    if (kind == EventKind::End) run_.end(time, number(event, "pushing"));
    if (kind == EventKind::Exit) run_.exit_status = field<int>(event, "status", 0);
    if (kind == EventKind::Machine) take_sample(time, event);
    auto place = places_.find({text(event, "environment"), text(event, "stage")});
    if (place == places_.end()) return;
    StageAddress at = place->second;
    if (kind == EventKind::Expected) take_expected(at, event);
    if (kind == EventKind::Stage) take_stage(time, at, event);
    if (std::optional<PackageState> state = package_state(text(event, "state"));
        kind == EventKind::Package && state)
      run_.package(time, at, {.name = text(event, "package"), .state = *state});
  }

  void take_sample(double time, const json& event) {
    MachineSample sample{.busy = number(event, "busy"),
                         .memory = number(event, "memory"),
                         .slots_used = static_cast<unsigned>(count(event, "slots_used")),
                         .slots = static_cast<unsigned>(count(event, "slots")),
                         .free = count(event, "free")};
    for (const json& one : list(event, "stages"))
      if (auto place = places_.find({text(one, "environment"), text(one, "stage")}); place != places_.end())
        sample.stages.push_back({.at = place->second,
                                 .slots = static_cast<unsigned>(count(one, "slots")),
                                 .memory = count(one, "memory")});
    run_.sample(time, sample);
  }

  void take_facts(const json& event) {
    run_.facts = {.version = text(event, "version"),
                  .distribution = text(event, "distribution"),
                  .tree = text(event, "tree"),
                  .revision = text(event, "revision"),
                  .engine = text(event, "engine"),
                  .machine = text(event, "machine"),
                  .command = field<std::vector<std::string>>(event, "command", {}),
                  .process = field<long>(event, "process", 0),
                  .processors = static_cast<unsigned>(count(event, "processors")),
                  .at_once = static_cast<unsigned>(count(event, "at_once")),
                  .slots = static_cast<unsigned>(count(event, "slots"))};
    for (const json& one : list(event, "hosts"))
      run_.facts.hosts.push_back({.name = text(one, "name"),
                                  .place = text(one, "place"),
                                  .slots = static_cast<unsigned>(count(one, "slots")),
                                  .at_once = static_cast<unsigned>(count(one, "at_once")),
                                  .memory = count(one, "memory"),
                                  .problem = text(one, "problem")});
  }

  void take_begin(double time, const json& event) {
    std::vector<EnvironmentStatus> all;
    for (const json& one : list(event, "environments")) {
      EnvironmentStatus environment{.name = text(one, "name"), .stage_names = {}, .stages = {}};
      for (const json& stage : list(one, "stages")) {
        places_[{environment.name, text(stage, "name")}] = {all.size(), environment.stages.size()};
        environment.stage_names.push_back(text(stage, "name"));
        environment.stages.push_back(
            {.state = stage_state(text(stage, "state")).value_or(StageState::Waiting),
             .image = text(stage, "image")});
        environment.expected.push_back({.seconds = number(stage, "expected_seconds"),
                                        .work = number(stage, "expected_work"),
                                        .packages = count(stage, "packages"),
                                        .reasons = field<std::vector<std::string>>(stage, "reasons", {})});
      }
      all.push_back(std::move(environment));
    }
    run_.begin(time, all);
  }

  // A file may be forged: needs may name later packages, or none that exist.
  void take_expected(StageAddress at, const json& event) {
    StageExpectation expectation{.seconds = number(event, "seconds"),
                                 .work = number(event, "work"),
                                 .packages = count(event, "packages")};
    for (const json& one : list(event, "makes")) {
      ExpectedPackage package{.name = text(one, "package"), .seconds = number(one, "seconds")};
      for (std::size_t needed : field<std::vector<std::size_t>>(one, "needs", {}))
        if (needed < expectation.makes.size()) package.needs.push_back(needed);
      expectation.makes.push_back(std::move(package));
    }
    run_.expect(at, std::move(expectation));
  }

  void take_stage(double time, StageAddress at, const json& event) {
    std::optional<StageState> state = stage_state(text(event, "state"));
    if (!state) return;
    run_.change(time, at,
                {.state = *state,
                 .seconds = number(event, "seconds"),
                 .detail = text(event, "detail"),
                 .log = text(event, "log"),
                 .image = text(event, "image"),
                 .memory = count(event, "memory"),
                 .findings = findings_of(event),
                 .host = text(event, "host")});
  }

  RunRecord run_;
  bool is_run_ = false;
  std::map<std::pair<std::string, std::string>, StageAddress> places_;
};

}  // namespace

std::optional<RunRecord> parse_run(std::string_view text) {
  return RunReader().read(text);
}

std::optional<RunRecord> read_run(const fs::path& file) {
  try {
    std::optional<std::string> text = read_file(file, kRunLimit);
    return text ? parse_run(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // it is only for display
  }
}

}  // namespace stagemake
