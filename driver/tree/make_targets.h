// The make targets of a distribution, and the packages that make builds for each.
//
// Two makefiles define them: the top-level Makefile (`build`, `ptest`, …; it makes base-toolchain first) and
// build/make/Makefile.in (`all-sage-local`, …). Both are nearly the same in all releases, so their structure
// is a table here; only the lists come from the tree. Targets that build nothing (`clean`) are known and have
// no packages.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tree/package_index.h"

namespace stagemake {

// A part of a target: a package that make builds for it.
struct TargetPart {
  enum class Extent {
    Whole,              // with everything it depends on
    Alone,              // NAME-no-deps
    BuildDependencies,  // NAME-build-deps: its build dependencies without itself
    Dependencies,       // NAME-deps
  };
  PackageId id;
  Extent extent = Extent::Whole;
};

// The packages named by a tree's variables, rules and installation trees, without those that the system
// provides.
struct TargetLists {
  std::vector<PackageId> base;
  std::vector<PackageId> base_toolchain;
  std::vector<PackageId> toolchain;
  std::vector<PackageId> toolchain_deps;
  std::vector<PackageId> sageruntime;
  std::vector<PackageId> local, venv, docs;  // installed packages by installation tree
  std::vector<PackageId> sage;  // all of them, in order, for releases whose all-sage is not made of these
  std::vector<PackageId> doc_html;
  std::vector<PackageId> sagelib;  // dependencies of sagelib if it is not a package
  std::vector<PackageId> wheels;
};

class MakeTargets {
 public:
  MakeTargets(const PackageIndex& packages, TargetLists lists)
      : packages_(packages), lists_(std::move(lists)) {}

  // What make builds for a target, in its order; nullopt if there is no such target. `is_dummy` says which
  // packages NAME-ensure need not build.
  std::optional<std::vector<TargetPart>> parts(std::string_view target, const std::vector<bool>& dummy) const;

  // The targets of this tree, sorted, without those of single packages.
  std::vector<std::string> names() const;

 private:
  bool add_target(std::string_view target, std::vector<TargetPart>& parts) const;
  const std::vector<PackageId>* list(std::string_view target) const;
  std::optional<std::vector<TargetPart>> package_parts(std::string_view target,
                                                       const std::vector<bool>& dummy) const;

  const PackageIndex& packages_;
  TargetLists lists_;
};

}  // namespace stagemake
