// A run and its verdict as JSON, for scripts. Pure.
//
// driver/manual/events.md, which is stagemake-events(7), describes the fields; a test looks for each of them
// there. The schema changes if the meaning of a field changes, not if fields are added.
//
// Text is not converted and might not be UTF-8: dump with error_handler_t::replace. Unknown text is "". The
// machine's load is in the trace (report/ci/trace.h).
#pragma once

#include <nlohmann/json.hpp>

#include "report/events/report_input.h"

namespace stagemake {

nlohmann::ordered_json run_json(const ReportInput& input);

}  // namespace stagemake
