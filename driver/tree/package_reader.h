// Reads the files of one package, by the rules of its tree. Part of tree/package_index.h, which finds the
// packages.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "tree/metadata_folder.h"
#include "tree/package_index.h"

namespace stagemake {

class PackageReader {
 public:
  PackageReader(MetadataFolder& folder, const TreeFeatures& features, Faults& faults)
      : folder_(folder), features_(features), faults_(faults) {}

  // Fills in everything but the name. Faulty values keep their defaults and are added to the faults.
  void read(const std::vector<FolderEntry>& listing, Package& package);

 private:
  using Listing = std::vector<FolderEntry>;

  std::optional<std::string_view> content(const Listing& listing, const Package& package,
                                          std::string_view file);
  void fault(const Package& package, std::string_view file, unsigned line, std::string what);
  void check_name(const Package& package);
  void read_type(const Listing& listing, Package& package);
  void read_version(const Listing& listing, Package& package);
  void read_trees(const Listing& listing, Package& package);
  bool counts(DependencyFile file) const;
  void read_dependencies(const Listing& listing, Package& package);
  void read_source(const Listing& listing, Package& package);
  SourceType source_of_tarball(const Listing& listing, const Package& package, SourceType otherwise);
  void read_distribution(const Listing& listing, Package& package);
  void read_purl(const Listing& listing, Package& package);
  void read_pyproject(const Listing& listing, Package& package);

  MetadataFolder& folder_;
  const TreeFeatures& features_;
  Faults& faults_;
};

}  // namespace stagemake
