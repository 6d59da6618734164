// Points in time as people write them.
#pragma once

#include <optional>
#include <string>

namespace stagemake {

// Seconds since the epoch.
double seconds_now();

// "17:30" (here, the next time that it is so late), "2026-11-22T17:30:00" (here; with a Z: in Greenwich),
// "@1763800000": as seconds since the epoch, at most the end of the year 9999; nothing where it is none of these,
// or a day that no calendar has.
std::optional<double> time_in(const std::string& text, double now);

}  // namespace stagemake
