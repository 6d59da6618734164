// The packages of a distribution, as described in TREE/build/pkgs.
//
// This only reads. Dependency lines are kept as text; plan/dependency_graph.h interprets them. Costs and
// installed packages are not known here. Immutable once read; safe to share between threads. The rules are
// those of the distribution's own tools: build/sage_bootstrap/package.py, expand_class.py, and for 9.8 also
// `bootstrap` and m4/sage_spkg_collect.m4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/files/files.h"
#include "tree/metadata_folder.h"
#include "tree/pyproject.h"
#include "tree/tree_features.h"

namespace stagemake {

enum class PackageType { Base, Standard, Optional, Experimental };
enum class SourceType { Normal, Wheel, Pip, Script, None };
// Which of the makefile's three templates builds a package.
enum class MakeRule { Normal, Pip, Script };

std::string_view name(PackageType type);   // "base", "standard", …
std::string_view name(SourceType source);  // "normal", "wheel", …
std::string_view name(MakeRule rule);      // "normal", "pip", "script"
MakeRule make_rule(SourceType source);     // make treats a wheel as normal and no source as a script

// Dense, from 0, in the order of the names.
using PackageId = std::uint32_t;

// The files that contain one line of dependencies each.
enum class DependencyFile : std::uint8_t { Main, OrderOnly, Optional, Check, Build };
inline constexpr std::array<std::string_view, 5> kDependencyFiles = {
    "dependencies", "dependencies_order_only", "dependencies_optional", "dependencies_check",
    "dependencies_build"};
inline std::string_view file_name(DependencyFile file) {
  return kDependencyFiles[static_cast<std::size_t>(file)];
}

struct Package {
  std::string name;
  PackageType type = PackageType::Standard;
  SourceType source = SourceType::None;
  std::string version = "none";    // with patch level; "none" if the package has no version file
  std::vector<std::string> trees;  // make variables: SAGE_LOCAL, …
  // The first line of each dependency file without its comment; nullopt if the file is absent.
  std::array<std::optional<std::string>, kDependencyFiles.size()> lines;

  // Only if the tree's tools know them (TreeFeatures).
  std::string distribution;              // Python distribution; empty: none
  std::string purl;                      // package URL
  std::vector<PyprojectName> pyproject;  // names in src/pyproject.toml.m4

  const std::optional<std::string>& line(DependencyFile file) const {
    return lines[static_cast<std::size_t>(file)];
  }
};

class PackageIndex {
 public:
  // Reads TREE/build/pkgs, using the tree's own features if none are given. A fault of one package does not
  // prevent reading the others: see faults(). Throws one Error (BadInput) with the faults of the tree itself;
  // with `faults`, adds all faults there instead, including those of packages, and returns what could be
  // read.
  static PackageIndex read(const fs::path& tree, std::optional<TreeFeatures> features = {},
                           Faults* faults = nullptr);

  // A tree without packages.
  static PackageIndex without_packages(const fs::path& tree);

  // Faults of packages, with the package that owns each. A value that is faulty has its default.
  const std::vector<Fault>& faults() const { return faults_; }
  const TreeFeatures& features() const { return features_; }
  const fs::path& tree() const { return tree_; }

  std::size_t size() const { return packages_.size(); }
  const Package& operator[](PackageId id) const { return packages_[id]; }
  std::vector<Package>::const_iterator begin() const { return packages_.begin(); }
  std::vector<Package>::const_iterator end() const { return packages_.end(); }

  std::optional<PackageId> find(std::string_view name) const;
  // The package with that package URL, ignoring case and treating `_` as `-`; nullopt in trees without URLs.
  std::optional<PackageId> find_purl(std::string_view purl) const;

  // Whether build/pkgs/NAME contains that file, folder or link to something. A path that leaves the tree (by
  // `..`, from the root or through a link) never exists: a question about a package must not reveal the rest
  // of the machine.
  bool has_file(PackageId id, std::string_view relative_path) const;
  // Whether build/pkgs has a folder with that name, package or not. Folders without `type` (9.8:
  // `_python3.11`) contain only lists of system packages.
  bool has_folder(std::string_view name) const;

  // All package names, sorted, for suggestions.
  std::vector<std::string> names() const;

  PackageIndex(PackageIndex&&) = default;
  PackageIndex& operator=(PackageIndex&&) = default;

 private:
  PackageIndex() = default;
  void read_listings(MetadataFolder& folder, Faults& faults);
  void index_names();

  fs::path tree_;
  TreeFeatures features_;
  std::vector<Package> packages_;
  std::vector<Fault> faults_;
  std::vector<std::vector<FolderEntry>> listings_;           // of the packages
  std::vector<std::string> bare_folders_;                    // sorted
  std::unordered_map<std::string_view, PackageId> by_name_;  // keys are views of the packages' names
  std::unordered_map<std::string, PackageId> by_purl_;
};

}  // namespace stagemake
