#include "plan/build_fingerprint.h"

#include <set>

#include "base/text/digest.h"

namespace stagemake {

std::string build_fingerprint(const PackageIndex& packages, const DependencyGraph& graph, PackageId id,
                              const std::string& own, const std::function<std::string(PackageId)>& of) {
  if (own.empty()) return {};
  std::set<std::string> needs;
  for (PackageId needed : graph.normal_dependencies(id)) {
    std::string fingerprint = of(needed);
    if (fingerprint.empty()) return {};
    needs.insert(packages[needed].name + " " + fingerprint + "\n");
  }
  for (PackageId taken : graph.taken_dependencies(id)) needs.insert(packages[taken].name + " system\n");
  std::string text = own + "\n";
  for (const std::string& need : needs) text += need;
  return sha256_hex(text).substr(0, 16);
}

std::vector<std::string> build_fingerprints(const PackageIndex& packages, const DependencyGraph& graph,
                                            const std::vector<std::string>& own) {
  std::vector<std::string> all(packages.size());
  for (PackageId id : graph.dependencies_first())
    all[id] = build_fingerprint(packages, graph, id, own[id], [&](PackageId needed) { return all[needed]; });
  return all;
}

}  // namespace stagemake
