// The driver's only sleep: a stop request ends it.
#pragma once

#include <chrono>
#include <stop_token>

namespace stagemake {

// Returns true after `time`, or false as soon as a stop is requested. Without a token (the default), nothing
// ends it early.
bool sleep_for(std::chrono::nanoseconds time, const std::stop_token& stop = {});

}  // namespace stagemake
