// Relevant differences between the releases of Sage-like distributions: which files of a package count, how
// dependency lines become make's prerequisites, and which targets there are.
//
// Each feature is detected in the tree's own scripts (bootstrap, m4/sage_spkg_collect.m4,
// build/sage_bootstrap/package.py, build/make/Makefile.in), by what they do, so an unknown release is read
// correctly if its scripts work like those of known releases. Version numbers are not used. For a tree
// without these scripts, such as one written for a test, the files of its packages select one of three
// releases.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"

namespace stagemake {

struct TreeFeatures {
  // Files of a package.
  enum class TreesFile { Ignored, AllLines, FirstLine } trees_file = TreesFile::AllLines;
  std::vector<std::string>
      python_marks;  // files that put a package into SAGE_VENV; without any, all packages are in SAGE_LOCAL
  bool template_is_script = false;    // spkg-install.in makes a script package, like spkg-install
  bool wheels = false;                // a tarball *.whl makes a wheel package
  bool checksum_sections = false;     // checksums.ini may have several tarballs, in sections
  bool counted_patch_levels = false;  // 1.2.p01 is 1.2.p1
  bool urls = false;                  // packages are also known by package URLs (pkg:pypi/numpy)
  bool url_file = false;              // purl.txt has a package's URL

  // Rules of a package.
  bool separate_rules = false;    // separate lists for build, run time and check, written by `sage-package
                                  // dependencies`; else one line, put together by configure
  bool optional_file = true;      // dependencies_optional is read, ...
  bool order_only_file = true;    // ... dependencies_order_only, ...
  bool check_file = true;         // ... and dependencies_check
  bool pyproject = false;         // src/pyproject.toml.m4 is read
  bool python_toolchain = false;  // Python packages need $(PYTHON) and $(PYTHON_TOOLCHAIN)
  std::vector<std::string> order_only_packages;  // packages named in pyproject.toml.m4 that are order-only
  bool check_is_order_only =
      false;  // the check list has the content of dependencies_order_only (a bug of 10.4.19)
  bool scripts_await_runtime = false;  // a script package is built after its run-time dependencies

  // Targets.
  bool tree_targets = true;      // all-sage-local and similar, one per installation tree
  bool sage_by_tree = true;      // all-sage is made tree by tree; else from sagelib and the installed
                                 // packages
  bool docs_target = true;       // all-sage-docs; else the documentation is not a package
  bool deps_targets = false;     // NAME-deps, ...
  bool ensure_targets = false;   // ... NAME-ensure, ...
  bool check_targets = false;    // ... and NAME-check
  bool fallback_target = false;  // ci-build-with-fallback
  bool own_distributions_unchecked = false;  // packages sagemath_* are not tested during their build
  // The packages for which SAGE_CHECK_NAME is set when dependency lists are expanded: all normal ones, in
  // lists of normal packages only those whose rules come before (Sage 9.2), or also scripts.
  enum class Checked { NormalBefore, Normal, NormalAndScript } checked = Checked::Normal;

  // Selections of packages (`sage-package list`).
  bool excludes_names = false;  // --exclude also drops names that are requested individually

  // Files and folders, relative to the tree, that the tree's Dockerfile writer adds, by stage name and in its
  // order. Has no stage `bootstrapped` if there is no writer.
  std::map<std::string, std::vector<std::string>> added;
  bool prefixed_images = false;  // image names keep the `docker-` of an environment's name

  // Assumed values of make variables that configure writes or that the tree's makefile lacks.
  std::string mp_library = "gmp";
  bool recent_python_toolchain = false;  // flit_core hatchling python_build instead of setuptools_wheel

  bool operator==(const TreeFeatures&) const = default;

  // The features of Sage 9.8, of Sage 10.8, and of passagemath in August 2026.
  static TreeFeatures of_sage98();
  static TreeFeatures of_sage108();
  static TreeFeatures of_passagemath2026();
};

// The features of a tree, detected in its scripts; nullopt if it has none of the scripts that collect
// packages. A script that cannot be read, or is a link out of the tree, counts as absent.
std::optional<TreeFeatures> features_by_scripts(const fs::path& tree);

// The features of a tree without these scripts. `has`: whether any of its packages has a file with that name.
TreeFeatures features_by_files(const std::function<bool(std::string_view file)>& has);

}  // namespace stagemake
