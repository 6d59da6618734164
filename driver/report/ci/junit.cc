#include "report/ci/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/text/markup.h"
#include "base/text/text.h"
#include "report/events/run_figures.h"

namespace stagemake {
namespace {

constexpr std::size_t kMostBytes = 1000;  // of a message, or of a log line

// printable() leaves no control characters except tabs, which become blanks in attributes, and nothing else
// that XML 1.0 forbids.
std::string xml(std::string_view text) {
  std::string clean = as_markup_text(text);
  std::string result;
  for (char c : clean) {
    if (c == '\t')
      result += "&#9;";
    else
      result += c;
  }
  return result;
}

std::string class_name(std::string text) {
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
}

struct Case {
  enum class Outcome { Passed, Failed, Error, Skipped } outcome = Outcome::Passed;
  std::string class_of;
  std::string name;
  double seconds = 0;
  std::string message = {};
  std::string text = {};  // lines
};

// The verdict on a package, or on a stage if no package is named.
struct Judgement {
  bool expected = true;  // all of its failures are expected
  std::string why = {};
  std::string message = {};
  const LogFinding* finding = nullptr;
  bool names_package = false;  // of a stage: all its failures name packages
};

class Suite {
 public:
  Suite(const ReportInput& input, std::size_t environment)
      : input_(input), e_(environment), environment_(input.run.environments[environment]) {
    for (const FailureGroup& group : input.verdict.groups)
      for (const FailurePlace& place : group.places)
        if (place.environment == e_ && stage_at(input.run, place) != nullptr) judge(group, place);
    for (std::size_t s = 0; s < environment_.stages.size(); ++s) add_stage(s);
  }

  std::string text() const;
  std::size_t tests() const { return cases_.size(); }
  std::size_t count(Case::Outcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(cases_.begin(), cases_.end(), [&](const Case& one) { return one.outcome == outcome; }));
  }

 private:
  using Key = std::pair<std::size_t, std::string>;  // stage and package; "" is the stage as a whole

  void judge(const FailureGroup& group, const FailurePlace& place) {
    const LogFinding* finding = finding_at(input_.run, place);
    std::string package = finding != nullptr ? finding->package : "";
    for (const std::string& name : {package, std::string()}) {
      auto [entry, first] = judgements_.try_emplace(Key(place.stage, name));
      Judgement& judgement = entry->second;
      judgement.expected = judgement.expected && group.kind == FailureGroup::Kind::Expected;
      if (first || (judgement.names_package && package.empty())) {
        judgement.why = group.why;
        judgement.message = package.empty() || !name.empty() ? group.message : package + ": " + group.message;
        judgement.finding = finding;
        judgement.names_package = !package.empty();
      }
      if (package.empty()) break;
    }
  }

  void fail(Case& one, std::size_t s, const std::string& package, const LogFinding* finding);
  void add_stage(std::size_t s);
  void leave_to_packages(std::size_t stage_case, std::size_t s);
  void add_packages(std::size_t s);
  void add_package(std::size_t s, const PackageRecord& package);

  const ReportInput& input_;
  std::size_t e_;
  const EnvironmentRecord& environment_;
  std::map<Key, Judgement> judgements_;
  std::vector<Case> cases_;
  double seconds_ = 0;
};

const LogFinding* finding_of(const StageRecord& stage, const std::string& package, LogFinding::Kind kind) {
  for (const LogFinding& finding : stage.status.findings)
    if (finding.package == package && finding.kind == kind) return &finding;
  return nullptr;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string lines_of(const StageRecord& stage, const LogFinding& finding) {
  std::string text;
  for (std::size_t i = 0; i < finding.excerpt.size() && i < kExcerptLines; ++i)
    text += std::string(beginning(finding.excerpt[i], kMostBytes)) + "\n";
  std::string log = log_of(stage, &finding);
  if (!log.empty()) text += "log: " + log + (finding.line > 0 ? fmt::format(":{}", finding.line) : "") + "\n";
  return text;
}

void Suite::fail(Case& one, std::size_t s, const std::string& package, const LogFinding* finding) {
  const StageRecord& stage = environment_.stages[s];
  auto judged = judgements_.find(Key(s, package));
  one.message = finding != nullptr ? finding->message : "failed";
  if (judged != judgements_.end()) {
    if (judged->second.expected) {
      one.outcome = Case::Outcome::Skipped;
      one.message = judged->second.why.empty() ? "expected: " + judged->second.message
                                               : "expected: " + judged->second.why;
      return;
    }
    one.message = judged->second.message;
    if (judged->second.finding != nullptr) finding = judged->second.finding;
  } else if (package.empty() && !stage.status.detail.empty()) {
    one.message = first_line(stage.status.detail);
  }
  one.outcome = Case::Outcome::Failed;
  if (finding != nullptr)
    one.text = lines_of(stage, *finding);
  else if (!stage.status.log.empty())
    one.text = "log: " + stage.status.log + "\n";
  std::string command = reproduce_command(input_, {.environment = e_, .stage = s});
  if (!command.empty()) one.text += "again: " + command + "\n";
}

void Suite::add_stage(std::size_t s) {
  const StageRecord& stage = environment_.stages[s];
  if (stage.status.state == StageState::NotWanted) return;
  Case one{.class_of = class_name(environment_.name), .name = stage.name};
  if (did_run(stage.status.state)) one.seconds = sane_seconds(stage.status.seconds);
  seconds_ += one.seconds;
  switch (stage.status.state) {
    case StageState::Failed:
      fail(one, s, "", stage.status.findings.empty() ? nullptr : &stage.status.findings.front());
      break;
    case StageState::Interrupted:
      one.outcome = Case::Outcome::Error;
      one.message =
          stage.status.detail.empty() ? "interrupted" : "interrupted: " + first_line(stage.status.detail);
      if (!stage.status.log.empty()) one.text = "log: " + stage.status.log + "\n";
      break;
    case StageState::Skipped:
    case StageState::Waiting:
    case StageState::Running:
      one.outcome = Case::Outcome::Skipped;
      one.message = stage.status.state == StageState::Skipped && !stage.status.detail.empty()
                        ? first_line(stage.status.detail)
                        : std::string(word(stage.status.state));
      break;
    default:
      break;
  }
  cases_.push_back(std::move(one));
  std::size_t position = cases_.size() - 1;
  add_packages(s);
  leave_to_packages(position, s);
}

// Readers count failed cases, so a failed package is not counted again with its stage. Failures without a
// package remain the stage's.
void Suite::leave_to_packages(std::size_t stage_case, std::size_t s) {
  if (cases_[stage_case].outcome != Case::Outcome::Failed) return;
  auto judged = judgements_.find(Key(s, ""));
  if (judged != judgements_.end() && !judged->second.names_package) return;
  std::vector<std::string> failed;
  for (std::size_t i = stage_case + 1; i < cases_.size(); ++i)
    if (cases_[i].outcome == Case::Outcome::Failed) failed.push_back(cases_[i].name);
  if (failed.empty()) return;
  cases_[stage_case].outcome = Case::Outcome::Skipped;
  cases_[stage_case].message = "failed with " + some_of(failed);
}

// The last record of each package, in the order of their first appearance; then packages whose failure only
// the log mentions.
void Suite::add_packages(std::size_t s) {
  const StageRecord& stage = environment_.stages[s];
  std::map<std::string, PackageRecord> last;
  std::vector<std::string> order;
  for (const PackageRecord& package : stage.packages) {
    if (!last.contains(package.name)) order.push_back(package.name);
    last[package.name] = package;
  }
  for (const LogFinding& finding : stage.status.findings) {
    if (finding.kind != LogFinding::Kind::Error || finding.package.empty()) continue;
    if (!last.contains(finding.package)) {
      order.push_back(finding.package);
      last[finding.package] = {.name = finding.package, .state = PackageState::Failed};
    }
  }
  for (const std::string& name : order) add_package(s, last[name]);
}

void Suite::add_package(std::size_t s, const PackageRecord& package) {
  const StageRecord& stage = environment_.stages[s];
  Case one{.class_of = class_name(environment_.name) + "." + class_name(stage.name), .name = package.name};
  Span span = span_of(input_.run, stage, package);
  one.seconds = span.to - span.from;
  if (package.state == PackageState::Failed) {
    fail(one, s, package.name, finding_of(stage, package.name, LogFinding::Kind::Error));
  } else if (package.state == PackageState::Built) {
    if (const LogFinding* tests = finding_of(stage, package.name, LogFinding::Kind::TestFailure))
      one.text = "its own tests failed: " + tests->message + "\n" + lines_of(stage, *tests);
  } else {
    one.outcome = Case::Outcome::Skipped;
    one.message = word(package.state);
  }
  cases_.push_back(std::move(one));
}

// Line by line, because printable() would make line ends visible.
std::string xml_lines(const std::string& text) {
  std::string result;
  for (std::string_view line : lines(text)) result += xml(line) + "\n";
  return result;
}

std::string case_text(const Case& one) {
  std::string text = fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3f}\"", xml(one.name),
                                 xml(one.class_of), one.seconds);
  std::string body;
  switch (one.outcome) {
    case Case::Outcome::Skipped:
      body = fmt::format("      <skipped message=\"{}\"/>\n", xml(beginning(one.message, kMostBytes)));
      break;
    case Case::Outcome::Passed:
      if (!one.text.empty()) body = "      <system-out>" + xml_lines(one.text) + "</system-out>\n";
      break;
    default: {
      std::string_view element = one.outcome == Case::Outcome::Failed ? "failure" : "error";
      body =
          fmt::format("      <{0} message=\"{1}\" type=\"{2}\">{3}</{0}>\n", element,
                      xml(beginning(one.message, kMostBytes)),
                      one.outcome == Case::Outcome::Failed ? "failed" : "interrupted", xml_lines(one.text));
    }
  }
  return body.empty() ? text + "/>\n" : text + ">\n" + body + "    </testcase>\n";
}

std::string counts(std::size_t tests, std::size_t failures, std::size_t errors, std::size_t skipped,
                   double seconds) {
  return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\"", tests,
                     failures, errors, skipped, seconds);
}

std::string Suite::text() const {
  const RunFacts& facts = input_.run.facts;
  std::string time = utc_time(input_.run.began);
  std::string text = fmt::format("  <testsuite name=\"{}\" {} timestamp=\"{}\" hostname=\"{}\" id=\"{}\">\n",
                                 xml(environment_.name),
                                 counts(tests(), count(Case::Outcome::Failed), count(Case::Outcome::Error),
                                        count(Case::Outcome::Skipped), seconds_),
                                 time.empty() ? "1970-01-01T00:00:00" : time,
                                 facts.machine.empty() ? "localhost" : xml(facts.machine), e_);
  text += fmt::format(
      "    <properties>\n      <property name=\"distribution\" value=\"{}\"/>\n"
      "      <property name=\"revision\" value=\"{}\"/>\n      <property name=\"engine\" value=\"{}\"/>\n"
      "    </properties>\n",
      xml(facts.distribution), xml(facts.revision), xml(facts.engine));
  for (const Case& one : cases_) text += case_text(one);
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_report(const ReportInput& input) {
  std::string suites;
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  for (std::size_t e = 0; e < input.run.environments.size(); ++e) {
    Suite suite(input, e);
    suites += suite.text();
    tests += suite.tests();
    failures += suite.count(Case::Outcome::Failed);
    errors += suite.count(Case::Outcome::Error);
    skipped += suite.count(Case::Outcome::Skipped);
  }
  std::string name = input.run.facts.distribution.empty() ? "stagemake" : input.run.facts.distribution;
  return fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n", xml(name),
                     counts(tests, failures, errors, skipped, sane_seconds(input.run.seconds()))) +
         suites + "</testsuites>\n";
}

}  // namespace stagemake
