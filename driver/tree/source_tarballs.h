// Names and checksums of a tree's source tarballs: build/pkgs/PACKAGE/checksums.ini, read as
// sage_bootstrap/package.py reads it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/files/files.h"
#include "base/text/digest.h"
#include "tree/source_tree.h"

namespace stagemake {

struct StatedChecksum {
  Checksum kind = Checksum::Sha1;
  std::string hex;  // lower-case digits
};

// Adds the entries of one checksums.ini to `tarballs`, by file name. A file may have [sections], one per
// tarball. VERSION and its parts (VERSION_MAJOR, ${VERSION}, …) are replaced by `version`, the content of
// package-version.txt, without its patch level. A tarball is skipped if it has no checksum, or if its name is
// too long or not a plain file name.
void read_checksums(std::string_view text, std::string_view version,
                    std::map<std::string, StatedChecksum>& tarballs);

// Those of `files` whose name and checksum are in a checksums.ini of `metadata`, the files below build/pkgs.
// Reads them in the tree at `root`; does not follow links. Throws Error (BadInput) if one cannot be read.
std::vector<SourceFile> stated_among(const std::vector<SourceFile>& files,
                                     const std::vector<SourceFile>& metadata, const fs::path& root);

}  // namespace stagemake
