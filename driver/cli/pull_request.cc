#include "cli/pull_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace stagemake {
namespace {

// How CI services announce the event of a job. An empty `value`: any except "" and "false".
struct Event {
  const char* variable;
  const char* value;
};
constexpr Event kPullRequests[] = {
    {"GITHUB_EVENT_NAME", "pull_request"},  // also Gitea and Forgejo
    {"GITHUB_EVENT_NAME", "pull_request_target"},
    {"GITHUB_EVENT_NAME", "pull_request_review"},
    {"GITHUB_EVENT_NAME", "pull_request_review_comment"},
    {"GITHUB_EVENT_NAME", "issue_comment"},  // workflows that check out code because a comment requests it
    {"GITHUB_EVENT_NAME", "workflow_run"},   // workflows that follow that of a pull request
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

}  // namespace stagemake
