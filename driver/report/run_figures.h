// Figures of a run that more than one report shows. Pure. Records come from files that anybody may have
// written: no time, duration or position in them is believed to make sense.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/report_input.h"

namespace stagemake {

// A duration that can be shown and added up: at least 0, at most some thirty years; 0 for what is no number.
double sane_seconds(double seconds);

// "2026-08-03T12:03:04" in UTC, without a zone; empty for 0 and what no calendar has (to the year 9999).
std::string utc_time(double time);

// The first `most` bytes of a text, without a character of UTF-8 that this would cut in two.
std::string_view beginning(std::string_view text, std::size_t most);

struct Span {
  double from = 0, to = 0;  // seconds since the run's beginning; 0 <= from <= to
};
// When a stage ran. What still runs, or whose end nobody wrote down, ends when the run was last heard of.
// Empty (to == from) where it did not run.
Span span_of(const RunRecord& run, const StageRecord& stage);
// The same of a package; empty for one that was not begun.
Span span_of(const RunRecord& run, const StageRecord& stage, const PackageRecord& package);
// The end of what is known of a run, seconds since its beginning; more than 0.
double extent(const RunRecord& run);

// For each span a lane, such that those in one lane do not overlap; as few lanes as can be, low ones first.
std::vector<std::size_t> packed_lanes(const std::vector<Span>& spans);

// The stage that a place names; null where the run has none such.
const StageRecord* stage_at(const RunRecord& run, const FailurePlace& place);
// What its log says; null where it says nothing.
const LogFinding* finding_at(const RunRecord& run, const FailurePlace& place);
// The log in which a finding stands, empty where there is none: its own file or its stage's.
std::string log_of(const StageRecord& stage, const LogFinding* finding);
std::string reproduce_command(const ReportInput& input, const FailurePlace& place);

struct PackageFigures {
  std::string name;
  double longest = 0, usual = 0;           // seconds; usual: the median
  std::size_t environment = 0, stage = 0;  // where it took longest
  std::size_t times = 0;                   // that it was built or tried
};
// Packages by their longest time, those that took longest first.
std::vector<PackageFigures> slowest_packages(const RunRecord& run, std::size_t most);

struct StageFigures {
  std::size_t environment = 0, stage = 0;
  double seconds = 0;
};
std::vector<StageFigures> slowest_stages(const RunRecord& run, std::size_t most);

// What came from images and what had to be made.
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
