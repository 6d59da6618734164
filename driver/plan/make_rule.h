// The prerequisites of a package's stamp: which of its lists configure and the makefile put together, and in
// which order. Releases differ most here (TreeFeatures).
#pragma once

#include <vector>

#include "plan/dependency_words.h"
#include "plan/package_index.h"

namespace stagemake {

// One list of prerequisites.
struct PrerequisiteList {
  References references;
  bool build = true;  // it belongs to NAME-build-deps
};

// All lists of a package in the makefile's order. `checked`: its tests run, so that its check dependencies
// count.
std::vector<PrerequisiteList> make_rule_of(const PackageIndex& packages, PackageId id, DependencyWords& words,
                                           bool checked);

}  // namespace stagemake
