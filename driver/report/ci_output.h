// What CI services make more of than of text: annotations, a summary of the job, output that can be folded.
// Pure but for add_step_summary(); what log lines hold is text there, never a command.
//
// Limits, as documented: GitHub shows 10 annotations of each kind (error, warning, notice) a step
// and 50 a job (actions/toolkit, docs/problem-matchers.md, "Limitations"); a step's summary is at most 1 MiB,
// of a larger one nothing is kept (docs.github.com, "Workflow commands", "Step isolation and limits"). GitLab
// names sections by letters, digits, `_`, `.` and `-` (docs.gitlab.com, "CI/CD job logs", "Custom collapsible
// sections").
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "report/event.h"
#include "report/run_record.h"
#include "report/verdict.h"

namespace stagemake {

enum class CiService { None, GitHub, GitLab };
// By GITHUB_ACTIONS=true and GITLAB_CI=true; `variable` gives the value of one, empty where it is not set.
CiService ci_service(const std::function<std::string(const char*)>& variable);

inline constexpr std::size_t kMostAnnotations = 10;          // of a kind, in a step
inline constexpr std::size_t kLargestStepSummary = 1048576;  // bytes

// Workflow commands, a line each, with line ends: an error for what fails newly, a warning for what failed
// before, what was expected, and tests; the worst first, up to the limits; then a notice of how many more
// there are. Logs below `workspace` ($GITHUB_WORKSPACE) are named from there.
std::string github_annotations(const RunRecord& run, const Verdict& verdict, std::string_view workspace = {});

// For the end of $GITHUB_STEP_SUMMARY, in GitHub's Markdown, UTF-8: how many environments do well, the
// failures with lines of their logs to unfold, and the stages of environments that did not succeed. Never
// longer than `most` bytes: lines of logs are left out first, then rows and failures, each from the end; it
// says how many. Empty where not even its head has room.
std::string github_step_summary(const RunRecord& run, const Verdict& verdict,
                                std::size_t most = kLargestStepSummary);

// Adds it to the file, as far as there is room beside what commands before it in the same step wrote. False:
// there is none, and nothing is added. Throws Error where it cannot be written.
bool add_step_summary(const fs::path& file, const RunRecord& run, const Verdict& verdict);

// Lines of a log under a title, folded; with line ends. `id` tells GitLab's sections of a job apart, `time`
// is in seconds since the epoch.
std::string folded(CiService service, std::string_view id, std::string_view title,
                   const std::vector<std::string>& log_lines, long long time);

// A line of others without power over what reads ours: services take commands out of a job's output, GitHub
// lines that begin with `::` after any blanks (Unicode's too), GitHub and Azure `##[` and `##vso[` anywhere.
std::string harmless(std::string_view line);

// Besides another reporter: the end of each failed stage's log, folded.
class CiReporter : public Reporter {
 public:
  struct Options {
    CiService service = CiService::None;               // without one nothing is printed
    std::function<void(std::string_view text)> print;  // whole lines; it must not wait for a reader
    std::function<long long()> now;                    // seconds since the epoch; needed for GitLab
  };
  explicit CiReporter(Options options) : options_(std::move(options)) {}

  void begins(const std::vector<EnvironmentStatus>&) override {}
  void changed(const std::vector<EnvironmentStatus>& all, std::size_t environment,
               std::size_t stage) override;
  void note(const std::string&) override {}
  void ends(const std::vector<EnvironmentStatus>&, const RunSeconds&) override {}

 private:
  const Options options_;
};

}  // namespace stagemake
