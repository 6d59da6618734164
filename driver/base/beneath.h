// Reading beneath a folder whose content others wrote, such as the tree of a pull request: no name and no link in it
// leads to a file outside.
//
// Links to places inside the folder are followed, also absolute ones. The kernel resolves paths (openat2 with
// RESOLVE_BENEATH, Linux 5.6) where it can; else, and where a link is absolute, we open one part after the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/files.h"

namespace stagemake {

class Beneath {
 public:
  // A folder that is not there is no error: then nothing is found in it.
  explicit Beneath(const fs::path& folder);

  // Opens a path relative to the folder, with flags as for open(2); O_CLOEXEC is implied. Not open, and errno, where that
  // fails: EXDEV where the path leads out of the folder. A path with a part `..`, an absolute one, and one with a NUL
  // byte lead out. The empty path and "." are the folder itself.
  Descriptor open(const std::string& relative, int flags) const;

  // The content of a file; nothing where there is none (also where a folder on the way is missing). Throws Error
  // (BadInput, with the path) where it leads out of the folder, cannot be read or holds more than `limit` bytes.
  std::optional<std::string> read(const std::string& relative, std::size_t limit = kMetadataLimit) const;

  // Whether there is anything at that place, in the folder.
  bool exists(const std::string& relative) const;

  // The names in a folder, sorted; none where it is no folder, leads out or cannot be read.
  std::vector<std::string> names(const std::string& relative) const;

  // As open() does it without openat2. For tests; the answers are the same.
  Descriptor open_by_steps(const std::string& relative, int flags) const;

 private:
  fs::path path_;
  Descriptor folder_;
};

// The names in an open folder, without "." and "..", in no order. Nothing, and errno, where it is no folder. The descriptor
// is read to its end.
std::optional<std::vector<std::string>> names_in(Descriptor folder);

// The target of a symlink that was opened with O_PATH | O_NOFOLLOW; nothing, and errno, where it is none.
std::optional<std::string> link_target(const Descriptor& link);

// Beneath(folder).read(relative, limit), and so on.
std::optional<std::string> read_inside(const fs::path& folder, const std::string& relative,
                                       std::size_t limit = kMetadataLimit);
bool exists_inside(const fs::path& folder, const std::string& relative);

}  // namespace stagemake
