// A run as one page for a browser: what failed, which stages came to what, what the machine did, what took
// longest. One file that refers to nothing outside of it and holds no script, so that it can be kept beside
// logs, sent around and shown by a CI server. Pure.
#pragma once

#include <string>

#include "report/report_input.h"

namespace stagemake {

// UTF-8. Whatever the run holds, nothing of it is markup in the page, and logs are cut to what a browser
// opens at once: some 3 MB for 200 environments of 7 stages.
std::string html_report(const ReportInput& input);

}  // namespace stagemake
