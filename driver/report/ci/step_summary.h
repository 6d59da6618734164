// The summary of a job step for GitHub. Pure except add_step_summary(). The text consists of pieces that are
// valid by themselves, so that leaving some out for lack of space keeps the rest valid.
#pragma once

#include <string>

#include "base/files/files.h"
#include "report/events/run_record.h"
#include "report/verdict/verdict.h"

namespace stagemake {

inline constexpr std::size_t kLargestStepSummary = 1048576;  // bytes

// Text to append to $GITHUB_STEP_SUMMARY, in GitHub's Markdown, UTF-8: how many environments succeeded, the
// failures with log lines to unfold, and the stages of environments that did not succeed. At most `most`
// bytes: log lines are left out first, then rows and failures, each from the end, and the text says how many.
// Empty if not even the heading fits.
std::string github_step_summary(const RunRecord& run, const Verdict& verdict,
                                std::size_t most = kLargestStepSummary);

// Appends the summary to the file, as far as it fits beside what earlier commands of the same step wrote.
// Returns false if nothing fits; then nothing is appended. Throws Error if the file cannot be written.
bool add_step_summary(const fs::path& file, const RunRecord& run, const Verdict& verdict);

}  // namespace stagemake
