// Tables: where the time went, what images saved, and the notes of the run. (Each fills a section of
// report.html, which is not shown if a run has nothing for it.)
#pragma once

#include "report/events/report_input.h"
#include "report/html/html_part.h"

namespace stagemake {

void fill_slowest(const ReportInput& input, HtmlPart page);
void fill_cache(const ReportInput& input, HtmlPart page);
void fill_notes(const ReportInput& input, HtmlPart page);

}  // namespace stagemake
