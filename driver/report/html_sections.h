// The parts of the page of a run (report/html_report.h), each a <section> with a heading; empty where a run
// has nothing for it.
#pragma once

#include <string>

#include "report/html_text.h"
#include "report/report_input.h"

namespace stagemake {

std::string html_style();

// The boxes with what is to be said of one stage each: they open over the page. Their names:
std::string cell_id(std::size_t environment, std::size_t stage);
// Whether a stage has such a box.
bool has_cell(const RunRecord& run, const FailurePlace& place);

std::string html_verdict(const ReportInput& input, Space& space);
std::string html_matrix(const ReportInput& input, Space& space);
std::string html_timeline(const ReportInput& input);
std::string html_slowest(const ReportInput& input);
std::string html_cache(const ReportInput& input);
std::string html_notes(const ReportInput& input);

}  // namespace stagemake
