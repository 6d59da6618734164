// A run as one page for a browser: failures, results of stages, the machine's load, the slowest packages and
// stages. One file without external references or scripts, so that you can keep it beside logs, send it, or
// show it in a CI server. Pure. What the page looks like is in report.html and report.css.
#pragma once

#include <string>

#include "report/events/report_input.h"

namespace stagemake {

// Returns UTF-8. Nothing in the run can become markup. Logs are truncated so that a browser opens the page at
// once: about 3 MB for 200 environments of 7 stages. Several threads may call it at once.
std::string html_report(const ReportInput& input);

}  // namespace stagemake
