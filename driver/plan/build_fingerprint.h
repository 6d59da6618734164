// What a package was built from, all of it: its own files and, through its normal dependencies, theirs. Two
// builds of a package with one fingerprint are exchangeable; whether make's stamps say so as well is another
// question.
//
// What the system provides counts as "the system's", whichever version that is: the base image decides it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/dependency_graph.h"

namespace stagemake {

// 16 hex digits. `own`: package_fingerprints() of the package; `of`: the build fingerprint of a dependency.
// Empty where one of these is empty: not known.
std::string build_fingerprint(const PackageIndex& packages, const DependencyGraph& graph, PackageId id,
                              const std::string& own, const std::function<std::string(PackageId)>& of);

// Of all packages (by PackageId), as a clean build would have them.
std::vector<std::string> build_fingerprints(const PackageIndex& packages, const DependencyGraph& graph,
                                            const std::vector<std::string>& own);

}  // namespace stagemake
