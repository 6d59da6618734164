#include "report/events/finding_json.h"

namespace stagemake {

using nlohmann::ordered_json;

ordered_json finding_json(const LogFinding& finding) {
  return {{"kind", finding.kind == LogFinding::Kind::Error ? "error" : "test failure"},
          {"package", finding.package},
          {"version", finding.version},
          {"message", finding.message},
          {"file", finding.file},
          {"line", finding.line > 0 ? ordered_json(finding.line) : ordered_json()},
          {"excerpt", finding.excerpt}};
}

}  // namespace stagemake
