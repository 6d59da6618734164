// A verdict in words, shared by the line reporter and CI services, and the file of expected failures. Pure;
// results are printable unless noted otherwise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text/text.h"
#include "report/events/run_record.h"
#include "report/verdict/verdict.h"

namespace stagemake {

inline constexpr std::string_view kFails = "fails";
inline constexpr std::string_view kTestsFail = "is built, but its tests fail";

// Throws Error (BadInput, "file:line: what") that lists all invalid lines.
std::vector<ExpectedFailure> read_expected_failures(const std::string& file, std::string_view text);

// One line per group, then the expected failures that did not occur; printable, without line ends: "giac
// fails on 7 systems since v9.8-3: ld: cannot find -lgmp (debian-bookworm-minimal, fedora-38 and …)".
std::vector<std::string> verdict_lines(const RunRecord& run, const Verdict& verdict,
                                       const Listing& listing = {});

// The environments of a group's places without duplicates, in the order of the run; raw names, not made
// printable.
std::vector<std::string> systems_of(const RunRecord& run, const FailureGroup& group);

// "giac fails on 7 systems since v9.8-3"; `what` is one of the words above.
std::string failure_title(const RunRecord& run, const FailureGroup& group, std::string_view what);

// Where to read about the first place of a group. Not made printable.
struct LogPlace {
  std::string environment, stage;
  std::string file;      // empty if there is no log
  std::size_t line = 0;  // 0: unknown
  const LogFinding* finding = nullptr;
};
LogPlace log_place(const RunRecord& run, const FailureGroup& group);

}  // namespace stagemake
