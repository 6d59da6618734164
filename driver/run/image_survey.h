// What an image or a container holds, found out: from its labels where it is one of ours, else by looking.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/container_engine.h"
#include "plan/snapshot.h"

namespace stagemake {

// The snapshot that an image says it is; nothing where it is none.
std::optional<Snapshot> snapshot_of(const ImageInfo& image);

// The tree as it lies in a container that does not run, at the places that the stages of `table` add: by
// content. What nobody but a build can have put there is left out: files that the tree's .dockerignore
// excludes (which SourceTree says), and so are those that are no regular files.
std::vector<SourceFile> survey_sources(ContainerEngine& engine, const std::string& container,
                                       const StageTable& table, const SourceTree& sources);

// The stamp folders of a container, as tar streams.
std::vector<std::string> stamp_folders_of(ContainerEngine& engine, const std::string& container,
                                          const StageTable& table);

// The packages that the installation records in these tar streams (ContainerEngine::copy_out of stamp
// folders) show. A record written at or after `began` (seconds since the epoch) is of a package built from
// the files with `fingerprints`; an older one is known from `before`. How long a package took is what
// `measured` says; else the time since the record before its own.
std::map<std::string, InstalledPackage> installed_packages(
    const std::vector<std::string>& stamp_folders, const PackageIndex& packages,
    const std::map<std::string, std::string>& fingerprints,
    const std::map<std::string, InstalledPackage>& before, std::int64_t began,
    const std::map<std::string, double>& measured = {});

// What configure wrote in a container; nothing where it has not.
std::optional<ConfiguredPackages> survey_configured(ContainerEngine& engine, const std::string& container,
                                                    const StageTable& table);

// For a message that `image`, which an incremental environment goes on in, is not to be had: what there is in
// the same repository, on this machine and in the registry, other tags of it first.
std::string images_beside(ContainerEngine& engine, const std::string& image);

}  // namespace stagemake
