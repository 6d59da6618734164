// Figures of a run that several reports show. Pure. Records come from files that anybody may have written, so
// times, durations and positions in them are not trusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/events/report_input.h"

namespace stagemake {

// A duration that can be shown and added up: at least 0, at most about thirty years; 0 for NaN.
double sane_seconds(double seconds);

// "2026-08-03T12:03:04" in UTC, without a zone; empty for 0 and for times after the year 9999.
std::string utc_time(double time);

// The first `most` bytes of a text, without an incomplete UTF-8 character at the end.
std::string_view beginning(std::string_view text, std::size_t most);

struct Span {
  double from = 0, to = 0;  // seconds since the beginning of the run; 0 <= from <= to
};
// When a stage ran. Stages that are still running, or have no recorded end, end with the last event of the
// run. Empty (to == from) if it did not run.
Span span_of(const RunRecord& run, const StageRecord& stage);
// The same for a package; empty if it did not begin.
Span span_of(const RunRecord& run, const StageRecord& stage, const PackageRecord& package);
// The end of what is known of a run, in seconds since its beginning; more than 0.
double extent(const RunRecord& run);

// A lane for each span, so that spans in a lane do not overlap; uses as few lanes as possible, low ones
// first.
std::vector<std::size_t> packed_lanes(const std::vector<Span>& spans);

// The stage at a place; null if the run has no such stage.
const StageRecord* stage_at(const RunRecord& run, const FailurePlace& place);
// The finding at a place; null if there is none.
const LogFinding* finding_at(const RunRecord& run, const FailurePlace& place);
// The log that contains a finding: its own file or that of its stage; empty if there is none.
std::string log_of(const StageRecord& stage, const LogFinding* finding);
std::string reproduce_command(const ReportInput& input, const FailurePlace& place);

struct PackageFigures {
  std::string name;
  double longest = 0, usual = 0;           // seconds; usual: the median
  std::size_t environment = 0, stage = 0;  // where it took longest
  std::size_t times = 0;                   // number of attempts, successful or not
};
// Packages by their longest time, slowest first.
std::vector<PackageFigures> slowest_packages(const RunRecord& run, std::size_t most);

struct StageFigures {
  std::size_t environment = 0, stage = 0;
  double seconds = 0;
};
std::vector<StageFigures> slowest_stages(const RunRecord& run, std::size_t most);

// What came from images, and what had to be built.
struct CacheUse {
  std::size_t reused = 0, built = 0, failed = 0;  // stages; failed: also interrupted
  std::size_t packages = 0;                       // built
  double seconds = 0;
};
CacheUse cache_use(const RunRecord& run);

std::size_t count(const Verdict& verdict, FailureGroup::Kind kind);

// "41 of 54 environments well; 3 new failures, 2 as before, 1 expected".
std::string result_line(const ReportInput& input);

}  // namespace stagemake
