// The prerequisites of a package's stamp: which of its lists configure and the makefile combine, and in which
// order. This is the largest difference between releases (TreeFeatures).
#pragma once

#include <vector>

#include "tree/dependency_words.h"
#include "tree/package_index.h"

namespace stagemake {

// One list of prerequisites.
struct PrerequisiteList {
  References references;
  bool build = true;  // part of NAME-build-deps
};

// All lists of a package in the makefile's order. `checked`: the package's tests run, so that its check
// dependencies count.
std::vector<PrerequisiteList> make_rule_of(const PackageIndex& packages, PackageId id, DependencyWords& words,
                                           bool checked);

}  // namespace stagemake
