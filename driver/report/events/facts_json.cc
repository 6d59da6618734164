#include "report/events/facts_json.h"

namespace stagemake {

nlohmann::ordered_json facts_json(const RunFacts& facts) {
  return {{"version", facts.version},
          {"distribution", facts.distribution},
          {"tree", facts.tree},
          {"revision", facts.revision},
          {"engine", facts.engine},
          {"machine", facts.machine},
          {"command", facts.command},
          {"process", facts.process},
          {"processors", facts.processors},
          {"at_once", facts.at_once},
          {"slots", facts.slots}};
}

}  // namespace stagemake
