// In what the releases of Sage-like distributions differ, as far as it matters here: which files of a package
// count, how dependency lines become make's prerequisites, and which targets there are.
//
// Each feature is found in the tree's own scripts (bootstrap, m4/sage_spkg_collect.m4,
// build/sage_bootstrap/package.py, build/make/Makefile.in), by what they do: a release that nobody has seen
// yet is read right if its scripts do what others did. No version number is looked at. A tree without these
// scripts, such as one that was written for a test, is taken for one of three releases by the files that its
// packages have.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace stagemake {

struct TreeFeatures {
  // Files of a package.
  enum class TreesFile { Ignored, AllLines, FirstLine } trees_file = TreesFile::AllLines;
  std::vector<std::string>
      python_marks;  // files that put a package into SAGE_VENV; without any, all is in SAGE_LOCAL
  bool template_is_script = false;    // spkg-install.in makes a script package, as spkg-install does
  bool wheels = false;                // a tarball *.whl makes a wheel package
  bool checksum_sections = false;     // checksums.ini may have several tarballs, in sections
  bool counted_patch_levels = false;  // 1.2.p01 is 1.2.p1
  bool urls = false;                  // packages are known by package URLs, too (pkg:pypi/numpy)
  bool url_file = false;              // purl.txt says a package's URL

  // Rules of a package.
  bool separate_rules = false;    // lists for build, run time and check, written by `sage-package
                                  // dependencies`; else one line, put together by configure
  bool optional_file = true;      // dependencies_optional is read, ...
  bool order_only_file = true;    // ... dependencies_order_only, ...
  bool check_file = true;         // ... and dependencies_check
  bool pyproject = false;         // src/pyproject.toml.m4 is read
  bool python_toolchain = false;  // Python packages need $(PYTHON) and $(PYTHON_TOOLCHAIN)
  std::vector<std::string> order_only_packages;  // of those that pyproject.toml.m4 names
  bool check_is_order_only =
      false;  // the list for checks has what dependencies_order_only says (a slip of 10.4.19)
  bool scripts_await_runtime = false;  // a script package is built after its dependencies for run time

  // Targets.
  bool tree_targets = true;      // all-sage-local and the like, one for each installation tree
  bool sage_by_tree = true;      // all-sage is made tree by tree; else of sagelib and what is installed
  bool docs_target = true;       // all-sage-docs; else the documentation is no package
  bool deps_targets = false;     // NAME-deps, ...
  bool ensure_targets = false;   // ... NAME-ensure, ...
  bool check_targets = false;    // ... and NAME-check
  bool fallback_target = false;  // ci-build-with-fallback
  bool own_distributions_unchecked = false;  // packages sagemath_* are not tested while they are built
  // Which packages have SAGE_CHECK_NAME set where dependency lists are expanded: all normal ones, in lists of
  // normal packages only those whose rules come before (Sage 9.2), or scripts, too.
  enum class Checked { NormalBefore, Normal, NormalAndScript } checked = Checked::Normal;

  // Selections of packages (`sage-package list`).
  bool excludes_names = false;  // --exclude drops also names that are asked for one by one

  // What the tree's Dockerfile writer adds in stages, by their names: files and folders relative to the tree,
  // in its order. Without a stage `bootstrapped` where there is no writer.
  std::map<std::string, std::vector<std::string>> added;
  bool prefixed_images = false;  // names of images keep the `docker-` of an environment's name

  // Assumed values of make variables that configure writes or that the tree's makefile lacks.
  std::string mp_library = "gmp";
  bool recent_python_toolchain = false;  // flit_core hatchling python_build in place of setuptools_wheel

  bool operator==(const TreeFeatures&) const = default;

  // Those of Sage 9.8, of Sage 10.8, and of passagemath in August 2026.
  static TreeFeatures of_sage98();
  static TreeFeatures of_sage108();
  static TreeFeatures of_passagemath2026();
};

// The features of a tree by its scripts; nothing where it has none of the scripts that collect packages. A
// script that cannot be read, or is a link out of the tree, counts as absent.
std::optional<TreeFeatures> features_by_scripts(const fs::path& tree);

// The features of a tree without these scripts. `has`: whether any of its packages has a file of that name.
TreeFeatures features_by_files(const std::function<bool(std::string_view file)>& has);

}  // namespace stagemake
