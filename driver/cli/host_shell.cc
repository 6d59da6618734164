#include "cli/host_shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/callers_environment.h"
#include "base/error.h"
#include "base/standard_streams.h"
#include "base/subprocess.h"
#include "base/text.h"

namespace stagemake {
namespace {

// How CI services say what a job runs for. An empty `value`: any but "" and "false".
struct Event {
  const char* variable;
  const char* value;
};
constexpr Event kPullRequests[] = {
    {"GITHUB_EVENT_NAME", "pull_request"},  // also Gitea and Forgejo
    {"GITHUB_EVENT_NAME", "pull_request_target"},
    {"GITHUB_EVENT_NAME", "pull_request_review"},
    {"GITHUB_EVENT_NAME", "pull_request_review_comment"},
    {"GITHUB_EVENT_NAME", "issue_comment"},  // workflows that check out what a comment asks for
    {"GITHUB_EVENT_NAME", "workflow_run"},   // and those that follow a pull request's workflow
    {"CI_PIPELINE_SOURCE", "merge_request_event"},
    {"CI_PIPELINE_SOURCE", "external_pull_request_event"},
    {"CI_MERGE_REQUEST_IID", ""},
    {"CI_PIPELINE_EVENT", "pull_request"},  // Woodpecker
    {"DRONE_BUILD_EVENT", "pull_request"},
    {"BUILD_REASON", "PullRequest"},  // Azure Pipelines
    {"CHANGE_ID", ""},                // Jenkins
    {"CIRCLE_PULL_REQUEST", ""},
    {"CIRCLE_PR_NUMBER", ""},
    {"CIRRUS_PR", ""},
    {"TRAVIS_PULL_REQUEST", ""},
    {"BUILDKITE_PULL_REQUEST", ""},
    {"BITBUCKET_PR_ID", ""},
    {"APPVEYOR_PULL_REQUEST_NUMBER", ""},
};
constexpr const char* kCiServices[] = {"CI", "TF_BUILD", "JENKINS_URL"};

bool is_said(const std::string& value) {
  return !value.empty() && value != "false";
}

}  // namespace

std::string pull_request_event(const CallerVariables& caller) {
  auto value = [&](const char* name) { return caller(name).value_or(""); };
  if (std::none_of(std::begin(kCiServices), std::end(kCiServices),
                   [&](const char* name) { return is_said(value(name)); }))
    return {};
  for (const Event& event : kPullRequests) {
    std::string said = value(event.variable);
    if (*event.value == '\0' ? is_said(said) : said == event.value)
      return fmt::format("{}={}", event.variable, said);
  }
  return {};
}

std::optional<std::string> host_shell_refusal(std::optional<bool> said, const CallerVariables& caller) {
  if (said) return *said ? std::nullopt : std::optional<std::string>("--host-shell is no");
  std::string event = pull_request_event(caller);
  if (event.empty()) return std::nullopt;
  return fmt::format("this job runs for a pull request ({})", shown(event));
}

std::string evaluated_by_host_shell(const fs::path& tree, const std::string& text,
                                    const std::map<std::string, std::string>& variables) {
  say(fmt::format("stagemake: a shell of this machine evaluates `{}`", shown(text)));
  std::string path = callers_variable("PATH");
  std::vector<std::string> argv{"env", "-i"};
  for (const auto& [name, value] : variables) argv.push_back(name + "=" + value);
  argv.push_back(fmt::format("PATH={}:{}", (tree / "build/bin").string(), path.empty() ? "/usr/bin:/bin" : path));
  for (const std::string& word :
       {std::string("bash"), std::string("-c"), "cd -- \"$1\" && printf %s \"" + text + "\"", std::string("bash"),
        tree.string()})
    argv.push_back(word);
  Finished finished = run_command({.argv = std::move(argv)});
  if (!finished.ok())
    throw bad_input(
        "", fmt::format("bash cannot expand `{}`: {}", printable(text), printable(trimmed(finished.errors))));
  return finished.output;
}

}  // namespace stagemake
