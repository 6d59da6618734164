// Whether a job of a CI service runs for somebody's proposal. There, a tree may do less.
#pragma once

#include <string>

#include "plan/tox_variables.h"

namespace stagemake {

// The variable, as "NAME=VALUE", by which a CI service says that this job runs for somebody's pull or merge request;
// empty: this is no CI job, or its event is another one.
std::string pull_request_event(const CallerVariables& caller);

}  // namespace stagemake
