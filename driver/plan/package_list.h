// Lists of packages, as the distribution's `sage-package list` gives them
// (build/sage_bootstrap/expand_class.py). CI tables are written in its language.
#pragma once

#include <string>
#include <vector>

#include "plan/package_index.h"

namespace stagemake {

struct PackageListQuery {
  // Names and the classes :all: :standard: :optional: :experimental:; in 2026 also package URLs
  // (pkg:pypi/NAME, pypi/NAME, generic/NAME). None means :all:.
  std::vector<std::string> selectors = {};
  std::vector<std::string> has_file = {};  // each "A|B": the package has one of them. All must hold
  std::vector<std::string> no_file = {};   // each "A|B": the package has none of them
  std::vector<std::string> exclude = {};   // names; one that is no package excludes nothing
  std::vector<std::string> trees = {};     // installation trees: the package has one of them
  // With what the selected ones need, or without: 2026, over ordinary dependencies. With either, no selector
  // means none.
  bool include_dependencies = false;
  bool exclude_dependencies = false;
};

// The arguments of `sage-package list` as a query. Throws Error (BadInput) for an option that it does not
// have.
PackageListQuery package_list_query(const std::vector<std::string>& arguments);

// The selected names, sorted, each once. has_file and no_file hold for classes, not for names; exclude holds
// for classes, and for names where the tree's tool does so. Throws one Error (BadInput) with all selectors
// that are no class, URL or name. As the tree's tool does, it gives any name back, also one of no package;
// unless `names_must_exist`: then it must at least be a folder of build/pkgs (9.8's tables name some that are
// no packages: `_python3.11`).
std::vector<std::string> list_packages(const PackageIndex& packages, const PackageListQuery& query,
                                       bool names_must_exist = false);

}  // namespace stagemake
