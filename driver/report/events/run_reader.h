// Converts the events in a file back into a run.
#pragma once

#include <optional>
#include <string_view>

#include "base/files/files.h"
#include "report/events/run_record.h"

namespace stagemake {

// The run in a file of events. Truncated lines and lines that are not events are ignored; nothing if no line
// begins a run.
std::optional<RunRecord> read_run(const fs::path& file);
// The same from text, for tests and for readers that continue to read.
std::optional<RunRecord> parse_run(std::string_view text);

}  // namespace stagemake
