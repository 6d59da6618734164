// Environment × stage: a table that scrolls in its own box, and the boxes that its cells open. (Fills a
// section of report.html, which is not shown if a run has nothing for it.)
#pragma once

#include <string>

#include "report/events/report_input.h"
#include "report/html/html_excerpt.h"
#include "report/html/html_part.h"

namespace stagemake {

// The ids of the boxes with the details of one stage, which open over the page.
std::string cell_id(std::size_t environment, std::size_t stage);
// Whether a stage has such a box.
bool has_cell(const RunRecord& run, const FailurePlace& place);

void fill_matrix(const ReportInput& input, HtmlPart page, Space& space);

}  // namespace stagemake
