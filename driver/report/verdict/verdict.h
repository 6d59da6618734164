// The verdict on a run's failures, to decide what to do: equal failures are grouped across systems, new ones
// come first, expected and known ones are separate. Pure.
#pragma once

#include <string>
#include <vector>

#include "report/events/run_record.h"

namespace stagemake {

// A file of known failures, one per line: `PACKAGE [ENVIRONMENT-PATTERN…] [# why]`. PACKAGE is a package or a
// stage, and patterns are shell patterns (`debian-*`); without any, the failure is expected everywhere.
struct ExpectedFailure {
  std::string name = {};
  std::vector<std::string> environments = {};  // patterns; empty: all
  std::string why = {};
  std::size_t line = 0;  // in its file
};

struct FailurePlace {
  std::size_t environment = 0, stage = 0;  // in the run
  std::size_t finding = 0;                 // in the stage's status; npos if there is none
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

// Failures of one package (or of one stage, if no package is to blame) with the same message.
struct FailureGroup {
  // Again: on at least one of these systems, the same package failed with the same message when it was last
  // tried; runs that did not try it do not count. New: it did not, or nothing is known. Expected: listed as
  // expected.
  enum class Kind { New, Again, Expected } kind = Kind::New;
  std::string name = {};     // the package, or the stage if no package is to blame
  std::string message = {};  // from the first place
  std::vector<FailurePlace> places = {};
  // New: the revision of this run. Otherwise: of the first run in the series of equal failures.
  std::string since = {};
  std::string why = {};  // Expected: the reason in the file
};

struct Verdict {
  std::vector<FailureGroup> groups = {};  // new ones first, then by number of places, then by name
  // Packages that are built although their tests failed; in the same order.
  std::vector<FailureGroup> test_failures = {};
  // Expected failures that did not occur, although the package or stage was built in this run.
  std::vector<ExpectedFailure> unexpectedly_well = {};
  std::size_t environments = 0, environments_well = 0;
  std::size_t unexpected() const;  // number of groups that are new or failed before
};

// True if all requested stages were built or reused.
bool does_well(const EnvironmentRecord& environment);

// `before`: earlier runs of the tree, newest first. A stage that failed without findings counts with the
// detail of its status. Interrupted and skipped stages are not failures.
Verdict verdict_of(const RunRecord& run, const std::vector<RunRecord>& before,
                   const std::vector<ExpectedFailure>& expected);

}  // namespace stagemake
