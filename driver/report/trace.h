// A run in the trace event format that Perfetto (ui.perfetto.dev) and chrome://tracing show. Pure.
#pragma once

#include <string>

#include "report/run_record.h"

namespace stagemake {

// One JSON object. The machine is the first process: its stages in lanes, counters of processors, memory, job
// slots and free space, notes as instants. Each environment of which a stage ran is a process: its stages in
// the first lanes, beneath them its packages in as few lanes as they need. Times are microseconds since the
// run's beginning; what had not ended ends when the run was last heard of.
std::string chrome_trace(const RunRecord& run);

}  // namespace stagemake
