// Which source tarballs a tree's metadata states: the names and checksums in build/pkgs/PACKAGE/checksums.ini, as
// sage_bootstrap/package.py reads them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace stagemake {

struct StatedChecksum {
  Checksum kind = Checksum::Sha1;
  std::string hex;  // lower-case digits
};

// What one checksums.ini states, added to `tarballs` by file name. A file may have [sections], each of a tarball. VERSION
// and its parts (VERSION_MAJOR, ${VERSION}, …) are replaced by `version`, the content of package-version.txt, without its
// patch level. A tarball without a checksum, and a name that is too long or no plain file name, are
// left out.
void read_checksums(std::string_view text, std::string_view version,
                    std::map<std::string, StatedChecksum>& tarballs);

}  // namespace stagemake
