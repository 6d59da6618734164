// The timeline: a bar for each stage that ran, in as few lanes as possible, and below, on the same axis, the
// machine's load. (Fills a section of report.html, which is not shown if a run has nothing for it.)
#pragma once

#include "report/events/report_input.h"
#include "report/html/html_part.h"

namespace stagemake {

void fill_timeline(const ReportInput& input, HtmlPart page);

}  // namespace stagemake
