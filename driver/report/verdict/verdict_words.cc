#include "report/verdict/verdict_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text/text.h"

namespace stagemake {
namespace {

using Kind = FailureGroup::Kind;

constexpr std::size_t kLongestMessage = 160;  // bytes of a message in a line

// A pattern's brackets must be closed: fnmatch treats others differently from system to system.
bool is_pattern_word(std::string_view word) {
  constexpr std::string_view kBytes =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.+*?[]!^";
  bool open = false;
  for (char c : word) {
    if (kBytes.find(c) == std::string_view::npos) return false;
    if (c == '[') open = true;
    if (c == ']') open = false;
  }
  return !open;
}

bool is_name(std::string_view word) {
  return is_pattern_word(word) && word.find_first_of("*?[]!^") == std::string_view::npos;
}

std::string message_of(const FailureGroup& group) {
  std::string text = printable(trimmed(std::string_view(group.message).substr(0, kLongestMessage)));
  if (text.empty()) return text;
  return ": " + text + (group.message.size() > kLongestMessage ? "…" : "");
}

std::string line_of(const RunRecord& run, const FailureGroup& group, std::string_view what,
                    const Listing& listing) {
  std::vector<std::string> systems = systems_of(run, group);
  constexpr std::size_t kNamed = 3;
  std::string which = systems.size() > 1 ? " " + bracketed(systems, listing, kNamed) : "";
  return failure_title(run, group, what) + message_of(group) + which;
}

}  // namespace

std::vector<std::string> systems_of(const RunRecord& run, const FailureGroup& group) {
  std::vector<std::string> names;
  for (const FailurePlace& place : group.places) {
    if (place.environment >= run.environments.size()) continue;
    const std::string& name = run.environments[place.environment].name;
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

std::string failure_title(const RunRecord& run, const FailureGroup& group, std::string_view what) {
  std::vector<std::string> systems = systems_of(run, group);
  std::string where =
      systems.size() == 1 ? "on " + printable(systems[0]) : "on " + counted(systems.size(), "system");
  std::string since = group.since.empty() ? std::string() : " since " + printable(group.since);
  if (group.kind == Kind::Again) since = " as before" + (since.empty() ? since : "," + since);
  if (group.kind == Kind::Expected)
    since = ", as expected" + (group.why.empty() ? "" : " (" + printable(group.why) + ")");
  return fmt::format("{} {} {}{}", printable(group.name), what, where, since);
}

LogPlace log_place(const RunRecord& run, const FailureGroup& group) {
  LogPlace result;
  if (group.places.empty()) return result;
  const FailurePlace& place = group.places[0];
  if (place.environment >= run.environments.size()) return result;
  const EnvironmentRecord& environment = run.environments[place.environment];
  if (place.stage >= environment.stages.size()) return result;
  const StageRecord& stage = environment.stages[place.stage];
  result = {.environment = environment.name, .stage = stage.name, .file = stage.status.log};
  if (place.finding >= stage.status.findings.size()) return result;
  result.finding = &stage.status.findings[place.finding];
  if (!result.finding->file.empty()) result.file = result.finding->file;
  result.line = result.finding->line;
  return result;
}

std::vector<ExpectedFailure> read_expected_failures(const std::string& file, std::string_view text) {
  std::vector<ExpectedFailure> result;
  Faults faults;
  std::size_t number = 0;
  for (std::string_view line : lines(text)) {
    ++number;
    std::size_t comment = line.find('#');
    std::vector<std::string_view> said = words(line.substr(0, comment));
    if (said.empty()) continue;
    std::string where = fmt::format("{}:{}", file, number);
    ExpectedFailure& one = result.emplace_back(ExpectedFailure{.name = std::string(said[0]), .line = number});
    if (comment != std::string_view::npos) one.why = trimmed(line.substr(comment + 1));
    if (!is_name(said[0])) faults.add(where, shown(said[0]) + " is not the name of a package or stage");
    if (!is_utf8(one.why)) faults.add(where, "the text after # is not UTF-8");
    for (std::size_t i = 1; i < said.size(); ++i) {
      one.environments.emplace_back(said[i]);
      if (!is_pattern_word(said[i])) faults.add(where, shown(said[i]) + " is not an environment pattern");
    }
  }
  faults.throw_if_any();
  return result;
}

std::vector<std::string> verdict_lines(const RunRecord& run, const Verdict& verdict, const Listing& listing) {
  std::vector<std::string> result;
  for (const FailureGroup& group : verdict.groups) result.push_back(line_of(run, group, kFails, listing));
  for (const FailureGroup& group : verdict.test_failures)
    result.push_back(line_of(run, group, kTestsFail, listing));
  for (const ExpectedFailure& one : verdict.unexpectedly_well)
    result.push_back(
        fmt::format("{} was expected to fail{}{} but succeeded", printable(one.name),
                    one.environments.empty() ? "" : " on " + some_of(one.environments, listing, 3),
                    one.line > 0 ? fmt::format(" (line {})", one.line) : ""));
  return result;
}

}  // namespace stagemake
