#include "report/events/facts_json.h"

namespace stagemake {

nlohmann::ordered_json facts_json(const RunFacts& facts) {
  nlohmann::ordered_json hosts = nlohmann::ordered_json::array();
  for (const HostFacts& host : facts.hosts)
    hosts.push_back({{"name", host.name},
                     {"place", host.place},
                     {"slots", host.slots},
                     {"at_once", host.at_once},
                     {"memory", host.memory},
                     {"problem", host.problem}});
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
          {"slots", facts.slots},
          {"hosts", hosts}};
}

}  // namespace stagemake
