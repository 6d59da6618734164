// Points in time as people write them.
#pragma once

#include <optional>
#include <string>

namespace stagemake {

// Seconds since the epoch.
double seconds_now();

// Converts "17:30" (local time, its next occurrence), "2026-11-22T17:30:00" (local time; UTC with a Z) and
// "@1763800000" to seconds since the epoch, at most the end of the year 9999; nothing for other text or an
// impossible date.
std::optional<double> time_in(const std::string& text, double now);

}  // namespace stagemake
