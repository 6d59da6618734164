// What a run's failures come to, for who must decide what to do: alike ones together over systems, new ones
// first, those that were expected or failed before apart. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/run_record.h"

namespace stagemake {

// A file of failures that are known: a line each, `PACKAGE [ENVIRONMENT-PATTERN…] [# why]`, where PACKAGE is
// a package or a stage and a pattern is one of shells (`debian-*`); without any: everywhere.
struct ExpectedFailure {
  std::string name = {};
  std::vector<std::string> environments = {};  // patterns; empty: all
  std::string why = {};
  std::size_t line = 0;  // in its file
};
// Throws Error (BadInput, "file:line: what") with all lines that cannot be read.
std::vector<ExpectedFailure> read_expected_failures(const std::string& file, std::string_view text);

struct FailurePlace {
  std::size_t environment = 0, stage = 0;  // in the run
  std::size_t finding = 0;                 // in the stage's status; npos where it has none
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

// Failures of one package (or, without one, of one stage) with the same message.
struct FailureGroup {
  // Again: the same package failed with the same message when it was last tried, on at least one of these
  // systems; a run that did not come to it says nothing. New: it did not, or nothing is known. Expected:
  // somebody said so.
  enum class Kind { New, Again, Expected } kind = Kind::New;
  std::string name = {};     // the package; the stage where no package is at fault
  std::string message = {};  // of the first place
  std::vector<FailurePlace> places = {};
  // New: the revision of this run. Else: of the first run of the series in which it failed alike.
  std::string since = {};
  std::string why = {};  // Expected: what the file says
};

struct Verdict {
  std::vector<FailureGroup> groups = {};  // new ones first, then by how many places, then by name
  // Of packages whose tests failed, and which are built all the same; in the same order.
  std::vector<FailureGroup> test_failures = {};
  // Expected ones that failed nowhere, and are known to have been built in this run.
  std::vector<ExpectedFailure> unexpectedly_well = {};
  std::size_t environments = 0, environments_well = 0;
  std::size_t unexpected() const;  // groups that are new or failed before
};

// All its stages that were asked for were built, or had their images.
bool does_well(const EnvironmentRecord& environment);

// `before`: earlier runs of the tree, the youngest first. A stage that failed without findings counts with
// what its status says; what was interrupted or skipped is no failure.
Verdict verdict_of(const RunRecord& run, const std::vector<RunRecord>& before,
                   const std::vector<ExpectedFailure>& expected);

// A line for each group, then for what was expected to fail and did not; printable, without line ends:
// "giac fails on 7 systems since v9.8-3: ld: cannot find -lgmp (debian-bookworm-minimal, fedora-38 and …)".
std::vector<std::string> verdict_lines(const RunRecord& run, const Verdict& verdict);

}  // namespace stagemake
