// What a build's log says went wrong: which package, in which words, at which line.
//
// It knows the marks that Sage's sage-logger and GNU make leave, and the two patterns by which Sage's own CI
// looks through logs (.github/workflows/scan-logs.sh): a line `^[A-Za-z]*Error` among the last 100, and a
// test suite's failure among the last 20. Pure: text goes in; what comes out may be of any bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stagemake {

struct LogFinding {
  enum class Kind {
    Error,
    TestFailure
  } kind = Kind::Error;      // TestFailure: the package is built all the same
  std::string package = {};  // "gmp"; empty where it is the stage's own
  std::string version = {};  // "6.2.1"; empty where the log does not say
  // The line that says most, without what differs from system to system in front of it (the package's mark).
  std::string message = {};
  std::string file = {};                  // the log in which it stands; empty: the one that was scanned
  std::size_t line = 0;                   // of the message in that file, from 1 on; 0: not known
  std::vector<std::string> excerpt = {};  // lines around it, without marks; at most kExcerptLines

  bool operator==(const LogFinding&) const = default;
};
inline constexpr std::size_t kExcerptLines = 12;
inline constexpr std::size_t kMostFindings = 50;

// How the recipe that wrote a log ended. Ignored: badly, in a stage whose errors are ignored.
enum class RecipeEnd { Well, Ignored, Badly };

// Errors before failures of tests, each in the order of the log; at most kMostFindings. Per package one:
// where it was tried again and then built, none. The line is the one that says most: what a compiler or a
// traceback says, before what make says of it (report/log_rules.h). Sage's patterns count for packages of
// which the log does not say how they ended, and for a package's whole log, which has no marks.
// A recipe that ended well has no errors, whatever its log says; failures of tests are found all the same.
// One that ended badly and names no package at fault has one finding without a package. Empty where nothing
// went wrong. Takes time linear in the log, and keeps no copy of it; 100 MB take about a second.
std::vector<LogFinding> scan_log(std::string_view log, RecipeEnd end);

// A message without what differs between two machines or two runs that fail alike: process ids, addresses,
// times, temporary names, line numbers, the numbers of jobs. What has the same can be counted together.
std::string comparable(std::string_view message);

}  // namespace stagemake
