// Output for CI services beyond plain text: annotations, a job summary, folded output. Pure except
// add_step_summary(); log lines are always shown as text and never act as commands.
//
// Documented limits: GitHub shows 10 annotations of each kind (error, warning, notice) per step and 50 per
// job (actions/toolkit, docs/problem-matchers.md, "Limitations"); a step's summary is at most 1 MiB, and a
// larger one is discarded (docs.github.com, "Workflow commands", "Step isolation and limits"). Names of
// GitLab sections consist of letters, digits, `_`, `.` and `-` (docs.gitlab.com, "CI/CD job logs", "Custom
// collapsible sections").
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"
#include "report/events/event.h"
#include "report/events/run_record.h"
#include "report/verdict/verdict.h"

namespace stagemake {

enum class CiService { None, GitHub, GitLab };
// Detects GITHUB_ACTIONS=true and GITLAB_CI=true; `variable` returns a variable's value, empty if it is not
// set.
CiService ci_service(const std::function<std::string(const char*)>& variable);

inline constexpr std::size_t kMostAnnotations = 10;  // per kind and step

// Workflow commands, one per line, with line ends: errors for new failures; warnings for failures that
// occurred before, expected failures and test failures; the worst first, up to the limits; then a notice with
// the number of omitted ones. Paths of logs below `workspace` ($GITHUB_WORKSPACE) are relative to it.
std::string github_annotations(const RunRecord& run, const Verdict& verdict, std::string_view workspace = {});

// Log lines under a title, folded; with line ends. `id` identifies a section within a GitLab job, `time` is
// in seconds since the epoch.
std::string folded(CiService service, std::string_view id, std::string_view title,
                   const std::vector<std::string>& log_lines, long long time);

// A foreign line that the service cannot take for a command. Services read commands from a job's output:
// GitHub takes lines that begin with `::` after blanks (also Unicode's), GitHub and Azure take `##[` and
// `##vso[` anywhere.
std::string harmless(std::string_view line);

// Runs beside another reporter and prints the end of each failed stage's log, folded.
class CiReporter : public Reporter {
 public:
  struct Options {
    CiService service = CiService::None;               // None: nothing is printed
    std::function<void(std::string_view text)> print;  // takes complete lines; must not wait for a reader
    std::function<long long()> now;                    // seconds since the epoch; needed for GitLab
  };
  explicit CiReporter(Options options) : options_(std::move(options)) {}

  void begins(const std::vector<EnvironmentStatus>&) override {}
  void changed(const std::vector<EnvironmentStatus>& all, StageAddress at) override;
  void note(const std::string&) override {}
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override {}

 private:
  const Options options_;
};

}  // namespace stagemake
