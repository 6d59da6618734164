// What an image or a container holds, found out: from its labels where it is one of ours, else by looking.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/tarball.h"
#include "engine/container_engine.h"
#include "plan/snapshot.h"
#include "run/guard.h"

namespace stagemake {

// The snapshot that an image says it is; nothing where it is none.
std::optional<Snapshot> snapshot_of(const ImageInfo& image);

// The tree as it lies in a container that does not run, at the places that the stages of `table` add: by
// content. What nobody but a build can have put there is left out: files that the tree's .dockerignore
// excludes (which SourceTree says), and so are those that are no regular files.
std::vector<SourceFile> survey_sources(ContainerEngine& engine, const std::string& container,
                                       const StageTable& table, const SourceTree& sources);

// What lies in the stamp folders of a container, those of more than 1 MiB without their content.
using StampEntries = std::vector<TarEntry>;
StampEntries stamp_folders_of(ContainerEngine& engine, const std::string& container, const StageTable& table);

// What tells each of these records from one that is written over it: see RecordMarks.
RecordMarks record_marks(const StampEntries& stamps);

// What was built in a container, and from what.
struct BuiltHere {
  const DependencyGraph& graph;                            // after what configure decided there
  const std::map<std::string, std::string>& fingerprints;  // package_fingerprints() of the tree in it
  const RecordMarks& before;                               // other records are of builds since
  const GuardNotes& notes;                                 // of these builds
  std::optional<std::int64_t> began = {};  // seconds since the epoch; only tells how long the first one took
};

// The packages that these installation records show. An old record is known from `before`, with what was known then; one of a build in the
// container gets the fingerprint of what it was built from, unless its dependency was built again after it: the
// guard's notes say so or, where they do not name both, the records' times. How long a build took, where it was not
// measured, is the time since the record before its own. `here` null: nothing was built.
std::map<std::string, InstalledPackage> installed_packages(
    const StampEntries& stamps, const PackageIndex& packages,
    const std::map<std::string, InstalledPackage>& before, const BuiltHere* here = nullptr);

// What configure wrote in a container; nothing where it has not. `installed`: what it may have found there;
// `before`: what it had decided in the image that the container was made from.
std::optional<ConfiguredPackages> survey_configured(ContainerEngine& engine, const std::string& container,
                                                    const StageTable& table, const PackageIndex& packages,
                                                    const std::map<std::string, InstalledPackage>& installed,
                                                    const std::optional<ConfiguredPackages>& before);

// For a message that `image`, which an incremental environment goes on in, is not to be had: what there is in
// the same repository, on this machine and in the registry, other tags of it first.
std::string images_beside(ContainerEngine& engine, const std::string& image);

}  // namespace stagemake
