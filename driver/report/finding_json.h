// A finding as programs read it: in events, and in reports.
#pragma once

#include <nlohmann/json.hpp>

#include "report/log_scan.h"

namespace stagemake {

// kind ("error", "test failure"), package, version, message, file, line (null: not known), excerpt (lines).
nlohmann::ordered_json finding_json(const LogFinding& finding);

}  // namespace stagemake
