// What a stage's log says. Logs are for people; a log that cannot be read harms no build.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "report/log/log_scan.h"

namespace stagemake {

// The last line of a log that begins with `beginning`; empty if none of its last 256 MB does.
std::string last_line_with(const std::string& log, std::string_view beginning);

// The errors that a log shows, worst first. `tell` gets a message about the part of the log that was not
// searched, or why it could not be.
std::vector<LogFinding> findings_in(const std::string& log, RecipeEnd end,
                                    const std::function<void(const std::string&)>& tell);

}  // namespace stagemake
