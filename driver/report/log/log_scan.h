// Finds what went wrong in a build's log: the package, the message and the line.
//
// Knows the marks of Sage's sage-logger and of GNU make, and the two patterns by which Sage's own CI scans
// logs (.github/workflows/scan-logs.sh): a line `^[A-Za-z]*Error` among the last 100, and a test suite's
// failure among the last 20. Pure: text in, findings out. Findings may contain arbitrary bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct LogFinding {
  enum class Kind { Error, TestFailure } kind = Kind::Error;  // TestFailure: the package is built anyway
  std::string package = {};                                   // "gmp"; empty for the stage itself
  std::string version = {};                                   // "6.2.1"; empty if the log does not say
  // The most informative line, without the package's mark, which differs between systems.
  std::string message = {};
  std::string file = {};                  // the log that contains the message; empty: the scanned one
  std::size_t line = 0;                   // of the message in that file, from 1; 0: unknown
  std::vector<std::string> excerpt = {};  // lines around it, without marks; at most kExcerptLines

  bool operator==(const LogFinding&) const = default;
};
inline constexpr std::size_t kExcerptLines = 12;
inline constexpr std::size_t kMostFindings = 50;

// How the recipe that wrote a log ended. Ignored: it failed in a stage whose errors are ignored.
enum class RecipeEnd { Well, Ignored, Badly };

// Returns errors before test failures, each in the order of the log; at most kMostFindings. One finding per
// package; none if a later attempt built it. The line is the most informative one: the message of a compiler
// or traceback is preferred to that of make (report/log/log_rules.h). Sage's patterns are used for packages
// whose end the log does not show, and for a package's own log, which has no marks. A recipe that succeeded
// has no errors, whatever its log says; test failures are found anyway. A recipe that failed without naming a
// package has one finding without a package. Empty if nothing went wrong. Takes linear time and does not copy
// the log; 100 MB take about a second.
std::vector<LogFinding> scan_log(std::string_view log, RecipeEnd end);

}  // namespace stagemake
