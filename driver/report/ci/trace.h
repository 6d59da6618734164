// A run in the trace event format of Perfetto (ui.perfetto.dev) and chrome://tracing. Pure.
#pragma once

#include <string>

#include "report/events/run_record.h"

namespace stagemake {

// One JSON object. The first process is the machine: its stages in lanes, counters of processors, memory, job
// slots and free space, notes as instants. Each environment with a stage that ran is a process: its stages
// are in the first lanes, its packages below in as few lanes as possible. Times are microseconds since the
// beginning of the run. Whatever had not ended ends with the last event of the run.
std::string chrome_trace(const RunRecord& run);

}  // namespace stagemake
