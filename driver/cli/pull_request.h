// Detects CI jobs that run for a pull or merge request. In these, a tree may do less.
#pragma once

#include <string>

#include "environment/tox_variables.h"

namespace stagemake {

// The variable, as "NAME=VALUE", that marks this CI job as running for a pull or merge request; empty: this
// is no CI job, or it runs for another event.
std::string pull_request_event(const CallerVariables& caller);

}  // namespace stagemake
