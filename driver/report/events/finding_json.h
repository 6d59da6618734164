// A finding as JSON, for events and reports.
#pragma once

#include <nlohmann/json.hpp>

#include "report/log/log_scan.h"

namespace stagemake {

// kind ("error", "test failure"), package, version, message, file, line (null: unknown), excerpt (lines).
nlohmann::ordered_json finding_json(const LogFinding& finding);

}  // namespace stagemake
