// The facts of a run as JSON, for events and reports.
#pragma once

#include <nlohmann/json.hpp>

#include "report/events/run_record.h"

namespace stagemake {

// The fields of the event "run", which driver/manual/events.md describes.
nlohmann::ordered_json facts_json(const RunFacts& facts);

}  // namespace stagemake
