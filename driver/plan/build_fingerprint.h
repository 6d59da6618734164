// Everything that a package was built from: its own files and, through its normal dependencies, theirs. Two
// builds of a package with the same fingerprint are interchangeable; make's stamps may still differ.
//
// A package from the system counts as "the system's" in any version, because the base image determines it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "plan/dependency_graph.h"

namespace stagemake {

// 16 hex digits. `own`: package_fingerprints() of the package; `of`: the build fingerprint of a dependency.
// Empty (unknown) if one of these is empty.
std::string build_fingerprint(const PackageIndex& packages, const DependencyGraph& graph, PackageId id,
                              const std::string& own, const std::function<std::string(PackageId)>& of);

// The fingerprints that a clean build would have, for all packages (by PackageId).
std::vector<std::string> build_fingerprints(const PackageIndex& packages, const DependencyGraph& graph,
                                            const std::vector<std::string>& own);

}  // namespace stagemake
