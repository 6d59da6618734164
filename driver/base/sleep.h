// The one sleep of the driver: a request to stop ends it.
#pragma once

#include <chrono>
#include <stop_token>

namespace stagemake {

// Returns true after `time`, false at once when a stop is requested. Without a token (the default) nothing
// ends it early.
bool sleep_for(std::chrono::nanoseconds time, const std::stop_token& stop = {});

}  // namespace stagemake
