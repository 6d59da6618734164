// Reads files beneath a folder that other people may have written, such as the tree of a pull request. No
// name and no link in it can lead to a file outside.
//
// Links to places inside the folder are followed, including absolute ones. The kernel resolves paths (openat2
// with RESOLVE_BENEATH, Linux 5.6) if it can. Otherwise, and for absolute links, we open one component after
// the other.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/files/descriptor.h"
#include "base/files/files.h"

namespace stagemake {

class Beneath {
 public:
  // A missing folder is not an error: nothing is found in it.
  explicit Beneath(const fs::path& folder);

  // Opens a path relative to the folder, with flags as for open(2); O_CLOEXEC is implied. On failure, the
  // descriptor is not open and errno says why: EXDEV if the path leads out of the folder. Absolute paths, and
  // paths with a `..` component or a NUL byte, lead out. The empty path and "." are the folder itself.
  Descriptor open(const std::string& relative, int flags) const;

  // The content of a file; nothing if it does not exist (or a folder on the way does not). Throws Error
  // (BadInput, with the path) if it leads out of the folder, cannot be read or holds more than `limit` bytes.
  std::optional<std::string> read(const std::string& relative, std::size_t limit = kMetadataLimit) const;

  // Whether anything exists at that path inside the folder.
  bool exists(const std::string& relative) const;

  // The names in a folder, sorted; none if it is not a folder, leads out or cannot be read.
  std::vector<std::string> names(const std::string& relative) const;

  // What open() does without openat2. For tests; the answers are the same.
  Descriptor open_by_steps(const std::string& relative, int flags) const;

 private:
  fs::path path_;
  Descriptor folder_;
};

// The names in an open folder, without "." and "..", unsorted. Nothing, with errno set, if it is not a
// folder. Reads the descriptor to its end.
std::optional<std::vector<std::string>> names_in(Descriptor folder);

// The target of a symlink that was opened with O_PATH | O_NOFOLLOW; nothing, with errno set, if it is not a
// symlink.
std::optional<std::string> link_target(const Descriptor& link);

// Short for Beneath(folder).read(relative, limit), and so on.
std::optional<std::string> read_inside(const fs::path& folder, const std::string& relative,
                                       std::size_t limit = kMetadataLimit);
bool exists_inside(const fs::path& folder, const std::string& relative);

}  // namespace stagemake
