// Finds out what an image or a container holds: from its labels if it is one of ours, else by looking inside.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files/tarball.h"
#include "engine/container_engine.h"
#include "registry/registry.h"
#include "run/container/guard.h"
#include "snapshot/snapshot.h"

namespace stagemake {

// The snapshot that the image's labels describe; nothing if it is none.
std::optional<Snapshot> snapshot_of(const ImageInfo& image);

// The tree in a container that does not run, at the places that the stages of `table` add, by content. Leaves
// out files that only a build can have put there: those that the tree's .dockerignore excludes (according to
// SourceTree), and those that are not regular files.
std::vector<SourceFile> survey_sources(ContainerEngine& engine, const std::string& container,
                                       const StageTable& table, const SourceTree& sources);

// The contents of a container's stamp folders; files of more than 1 MiB without their content.
using StampEntries = std::vector<TarEntry>;
StampEntries stamp_folders_of(ContainerEngine& engine, const std::string& container, const StageTable& table);

// Marks that distinguish each of these records from one written over it: see RecordMarks.
RecordMarks record_marks(const StampEntries& stamps);

// What was built in a container, and from what.
struct BuiltHere {
  const DependencyGraph& graph;                            // given what configure decided there
  const std::map<std::string, std::string>& fingerprints;  // package_fingerprints() of the tree in it
  const RecordMarks& before;                               // records that differ are from later builds
  const GuardNotes& notes;                                 // about these builds
  std::optional<std::int64_t> began =
      {};  // seconds since the epoch; only for the duration of the first build
};

// The packages that these installation records show. Records found in `before` keep what was known then. A
// record of a build in the container gets the fingerprint of what it was built from, unless a dependency was
// rebuilt after it, according to the guard's notes or, if they do not name both, to the records' times. If
// the duration of a build was not measured, it is the time since the previous record. `here` null: nothing
// was built.
std::map<std::string, InstalledPackage> installed_packages(
    const StampEntries& stamps, const PackageIndex& packages,
    const std::map<std::string, InstalledPackage>& before, const BuiltHere* here = nullptr);

// What configure wrote in a container; nothing if it did not run. `installed`: what it may have found there;
// `before`: what it had decided in the image that the container was made from.
std::optional<ConfiguredPackages> survey_configured(ContainerEngine& engine, const std::string& container,
                                                    const StageTable& table, const PackageIndex& packages,
                                                    const std::map<std::string, InstalledPackage>& installed,
                                                    const std::optional<ConfiguredPackages>& before);

// For the message that `image`, which an incremental environment continues from, is unavailable: the images
// in the same repository, on this machine and in the registry, other tags of it first.
std::string images_beside(ContainerEngine& engine, RegistryOptions registries, const std::string& image);

}  // namespace stagemake
