#include "report/verdict/verdict.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "environment/environment.h"
#include "environment/environment_choice.h"
#include "report/log/log_lines.h"
#include "report/log/log_message.h"

namespace stagemake {
namespace {

using Kind = FailureGroup::Kind;

// The same in every run: the name of the package or stage, and the comparable form of the message.
std::string key_of(std::string_view name, std::string_view message) {
  return std::string(name) + '\0' + comparable(message);
}

// A failure found while walking through a run.
struct Failure {
  FailurePlace place;
  std::string name, message, key;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// The failures in a stage. Packages in progress when a stage was interrupted look like failures, but do not
// count.
std::vector<Failure> failures_in(const StageRecord& stage, FailurePlace place, LogFinding::Kind kind) {
  std::vector<Failure> result;
  const StageStatus& status = stage.status;
  bool failed = status.state == StageState::Failed;
  if (!failed && status.state != StageState::Built) return result;
  for (place.finding = 0; place.finding < status.findings.size(); ++place.finding) {
    const LogFinding& finding = status.findings[place.finding];
    if (finding.kind != kind) continue;
    const std::string& name = finding.package.empty() ? stage.name : finding.package;
    result.push_back({place, name, finding.message, key_of(name, finding.message)});
  }
  if (failed && result.empty() && kind == LogFinding::Kind::Error) {
    place.finding = FailurePlace::npos;
    std::string message = first_line(status.detail);
    result.push_back({place, stage.name, message, key_of(stage.name, message)});
  }
  return result;
}

std::vector<Failure> failures_in(const RunRecord& run, LogFinding::Kind kind) {
  std::vector<Failure> result;
  for (std::size_t e = 0; e < run.environments.size(); ++e)
    for (std::size_t s = 0; s < run.environments[e].stages.size(); ++s)
      for (Failure& one : failures_in(run.environments[e].stages[s], {e, s}, kind))
        result.push_back(std::move(one));
  return result;
}

// Records name packages with or without their version.
bool has_built(const StageRecord& stage, const std::string& package) {
  return std::any_of(stage.packages.begin(), stage.packages.end(), [&](const PackageRecord& one) {
    return one.state == PackageState::Built &&
           (one.name == package || marked_package(one.name).name == package);
  });
}

// A finished run, for queries.
class EarlierRun {
 public:
  EarlierRun(const RunRecord& run, LogFinding::Kind kind) : run_(run) {
    for (std::size_t e = 0; e < run.environments.size(); ++e)
      places_.try_emplace(run.environments[e].name, e);
    for (Failure& one : failures_in(run, kind)) {
      names_.insert(placed(one.place.environment, one.name));
      keys_.insert(placed(one.place.environment, one.key));
    }
  }

  enum class Answer { Failed, Other, NotTried };
  // Whether the stage's package, or the stage, failed with the same message in an environment. Other: it
  // succeeded, or failed otherwise.
  Answer answer(const std::string& environment, const std::string& stage, const Failure& failure) const {
    auto found = places_.find(environment);
    if (found == places_.end()) return Answer::NotTried;
    if (keys_.contains(placed(found->second, failure.key))) return Answer::Failed;
    if (names_.contains(placed(found->second, failure.name))) return Answer::Other;
    for (const StageRecord& one : run_.environments[found->second].stages)
      if (one.name == stage) return answer_of(one, failure.name);
    return Answer::NotTried;
  }

 private:
  static std::string placed(std::size_t environment, const std::string& what) {
    return std::to_string(environment) + ' ' + what;
  }

  // For a stage without this failure.
  static Answer answer_of(const StageRecord& stage, const std::string& name) {
    StageState state = stage.status.state;
    if (state == StageState::Built || state == StageState::Reused) return Answer::Other;
    // Something else ended the stage, perhaps before this package's turn.
    bool ended_otherwise = state == StageState::Failed && name == stage.name;
    return ended_otherwise || has_built(stage, name) ? Answer::Other : Answer::NotTried;
  }

  const RunRecord& run_;
  std::unordered_map<std::string, std::size_t> places_;  // positions of environments, by name
  std::unordered_set<std::string> names_, keys_;         // of failures, with the position of the environment
};

bool is_meant(const ExpectedFailure& expected, const std::string& environment) {
  return expected.environments.empty() ||
         std::any_of(
             expected.environments.begin(), expected.environments.end(),
             [&](const std::string& pattern) { return fits(environment_name(pattern), environment); });
}

std::size_t environments_of(const FailureGroup& group) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < group.places.size(); ++i)  // they are in the order of environments
    count += i == 0 || group.places[i].environment != group.places[i - 1].environment;
  return count;
}

class Judgement {
 public:
  Judgement(const RunRecord& run, const std::vector<RunRecord>& before,
            const std::vector<ExpectedFailure>& expected)
      : run_(run), before_(before), expected_(expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) expected_by_name_[expected[i].name].push_back(i);
  }

  std::vector<FailureGroup> groups(LogFinding::Kind kind) {
    std::vector<Failure> failures = failures_in(run_, kind);
    std::vector<EarlierRun> earlier;
    if (!failures.empty())
      for (const RunRecord& run : before_) earlier.emplace_back(run, kind);
    // By expectation (past the end: none), and by key.
    std::map<std::pair<std::size_t, std::string>, std::vector<const Failure*>> alike;
    for (const Failure& one : failures) alike[{expectation_of(one), one.key}].push_back(&one);
    std::vector<FailureGroup> result;
    for (const auto& [key, members] : alike) result.push_back(group_of(key.first, members, earlier));
    std::stable_sort(result.begin(), result.end(), [](const FailureGroup& a, const FailureGroup& b) {
      std::size_t places_a = environments_of(a), places_b = environments_of(b);
      return std::tie(a.kind, places_b, a.name, a.message) < std::tie(b.kind, places_a, b.name, b.message);
    });
    return result;
  }

  // Call it after groups().
  std::vector<ExpectedFailure> unexpectedly_well() const {
    std::vector<ExpectedFailure> result;
    for (std::size_t i = 0; i < expected_.size(); ++i)
      if (!met_.contains(i) && did_well(expected_[i])) result.push_back(expected_[i]);
    return result;
  }

 private:
  const std::string& environment_of(const Failure& failure) const {
    return run_.environments[failure.place.environment].name;
  }
  const StageRecord& stage_of(const Failure& failure) const {
    return run_.environments[failure.place.environment].stages[failure.place.stage];
  }

  // The first matching expectation; their number if there is none.
  std::size_t expectation_of(const Failure& failure) {
    std::size_t first = expected_.size();
    for (const std::string& name : {failure.name, stage_of(failure).name}) {
      auto found = expected_by_name_.find(name);
      if (found == expected_by_name_.end()) continue;
      for (std::size_t i : found->second) {
        if (!is_meant(expected_[i], environment_of(failure))) continue;
        met_.insert(i);
        first = std::min(first, i);
      }
    }
    return first;
  }

  FailureGroup group_of(std::size_t expectation, const std::vector<const Failure*>& members,
                        const std::vector<EarlierRun>& earlier) const {
    FailureGroup group{.name = members[0]->name, .message = members[0]->message};
    for (const Failure* one : members) group.places.push_back(one->place);
    group.since = run_.facts.revision;
    look_back(group, members, earlier);
    if (expectation < expected_.size()) {
      group.kind = Kind::Expected;
      group.why = expected_[expectation].why;
    }
    return group;
  }

  // Follows the series of runs with the same failure, back to the first run in which none of the remaining
  // systems had it. A run that did not try it does not end the series.
  void look_back(FailureGroup& group, const std::vector<const Failure*>& members,
                 const std::vector<EarlierRun>& earlier) const {
    std::vector<const Failure*> open = members;
    for (std::size_t i = 0; i < earlier.size() && !open.empty(); ++i) {
      std::erase_if(open, [&](const Failure* one) {
        EarlierRun::Answer answer = earlier[i].answer(environment_of(*one), stage_of(*one).name, *one);
        if (answer == EarlierRun::Answer::Failed) {
          group.kind = Kind::Again;
          group.since = before_[i].facts.revision;
        }
        return answer == EarlierRun::Answer::Other;
      });
    }
  }

  // Whether in a matching environment the stage was built, or the package was built in a stage that ran.
  bool did_well(const ExpectedFailure& expected) const {
    for (const EnvironmentRecord& environment : run_.environments) {
      if (!is_meant(expected, environment.name)) continue;
      for (const StageRecord& stage : environment.stages) {
        if (stage.name == expected.name && stage.status.state == StageState::Built) return true;
        if (did_run(stage.status.state) && has_built(stage, expected.name)) return true;
      }
    }
    return false;
  }

  const RunRecord& run_;
  const std::vector<RunRecord>& before_;
  const std::vector<ExpectedFailure>& expected_;
  std::unordered_map<std::string, std::vector<std::size_t>> expected_by_name_;
  std::set<std::size_t> met_;
};

}  // namespace

bool does_well(const EnvironmentRecord& environment) {
  return std::all_of(environment.stages.begin(), environment.stages.end(), [](const StageRecord& stage) {
    StageState state = stage.status.state;
    return state == StageState::Built || state == StageState::Reused || state == StageState::NotWanted;
  });
}

std::size_t Verdict::unexpected() const {
  return static_cast<std::size_t>(std::count_if(
      groups.begin(), groups.end(), [](const FailureGroup& group) { return group.kind != Kind::Expected; }));
}

Verdict verdict_of(const RunRecord& run, const std::vector<RunRecord>& before,
                   const std::vector<ExpectedFailure>& expected) {
  Judgement judgement(run, before, expected);
  Verdict verdict;
  verdict.groups = judgement.groups(LogFinding::Kind::Error);
  verdict.test_failures = judgement.groups(LogFinding::Kind::TestFailure);
  verdict.unexpectedly_well = judgement.unexpectedly_well();
  verdict.environments = run.environments.size();
  verdict.environments_well =
      static_cast<std::size_t>(std::count_if(run.environments.begin(), run.environments.end(), does_well));
  return verdict;
}

}  // namespace stagemake
