// Lists of packages, as the distribution's `sage-package list` prints them
// (build/sage_bootstrap/expand_class.py). CI tables use its arguments.
#pragma once

#include <string>
#include <vector>

#include "tree/package_index.h"

namespace stagemake {

struct PackageListQuery {
  // Names and the classes :all: :standard: :optional: :experimental:; in 2026 also package URLs
  // (pkg:pypi/NAME, pypi/NAME, generic/NAME). Empty means :all:.
  std::vector<std::string> selectors = {};
  std::vector<std::string> has_file = {};  // each "A|B": the package has one of them. All must hold
  std::vector<std::string> no_file = {};   // each "A|B": the package has none of them
  std::vector<std::string> exclude = {};   // names; a name that is no package excludes nothing
  std::vector<std::string> trees = {};     // installation trees: the package has one of them
  // With or without the dependencies of the selected packages: 2026, over ordinary dependencies. With either,
  // no selector means no packages.
  bool include_dependencies = false;
  bool exclude_dependencies = false;
};

// Parses the arguments of `sage-package list`. Throws Error (BadInput) for an unknown option.
PackageListQuery package_list_query(const std::vector<std::string>& arguments);

// The selected names, sorted, each once. has_file and no_file apply to classes, not to names; exclude applies
// to classes, and to names if the tree's tool does so. Throws one Error (BadInput) with all selectors that
// are no class, URL or name. Like the tree's tool, it returns any name unchanged, even if there is no such
// package; with `names_must_exist`, the name must at least be a folder of build/pkgs (9.8's tables name some
// that are no packages: `_python3.11`).
std::vector<std::string> list_packages(const PackageIndex& packages, const PackageListQuery& query,
                                       bool names_must_exist = false);

}  // namespace stagemake
