// The verdict: a card for each group of equal failures. (Fills a section of report.html.)
#pragma once

#include "report/events/report_input.h"
#include "report/html/html_excerpt.h"
#include "report/html/html_part.h"

namespace stagemake {

void fill_verdict(const ReportInput& input, HtmlPart page, Space& space);

}  // namespace stagemake
