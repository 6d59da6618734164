// What a run says of itself at its beginning as programs read it: in events, and in reports.
#pragma once

#include <nlohmann/json.hpp>

#include "report/run_record.h"

namespace stagemake {

// version, distribution, tree, revision, engine, machine, command (an array of words), process, processors,
// at_once.
nlohmann::ordered_json facts_json(const RunFacts& facts);

}  // namespace stagemake
